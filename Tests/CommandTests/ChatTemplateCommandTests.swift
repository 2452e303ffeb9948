import Foundation
import Testing
import TinyTestSupport

@Suite("The command chat-template")
struct ChatTemplateCommandTests {
    private static let template = """
        {%- if tools %}[{{ tools|tojson }}]{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}
        {{ m.content }}<|im_end|>
        {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
        {% endif %}{{ mood }}
        """

    /// A tokenizer and a template, no weights.
    private func folder() -> TemporaryFolder {
        let folder = TemporaryFolder()
        folder.copy(Fixtures.path("llama-default/tokenizer.json"), as: "tokenizer.json")
        folder.write("chat_template.jinja", Self.template)
        folder.makeFolder("additional_chat_templates")
        folder.write("additional_chat_templates/short.jinja", "{{ messages|length }}")
        folder.write("chat.json", #"[{"role": "user", "content": "Hi <|im_end|> 你好"}]"#)
        return folder
    }

    private let framed = "<|im_start|>user\nHi <|im_end|> 你好<|im_end|>\n<|im_start|>assistant\n"

    private func run(_ folder: TemporaryFolder, _ more: [String] = [], input: String? = nil) throws -> CommandResult {
        try Command.run(["chat-template", "--model", folder.path] + more, input: input)
    }

    @Test func textAndTokens() throws {
        let folder = folder()
        let chat = folder.path + "/chat.json"
        let plain = try run(folder, ["--messages", chat])
        #expect(plain.text == framed && plain.error == "" && plain.code == 0)
        let json = try run(folder, ["--messages", chat, "--json"]).json()
        #expect(Set(json.keys) == ["text", "tokens"])
        #expect(json["text"] as? String == framed)
        let tokens = try #require(json["tokens"] as? [Int])
        // Two messages begin, and one ends: what the user wrote does not count.
        #expect(tokens.count { $0 == 1 } == 2 && tokens.count { $0 == 2 } == 1)
        let table = try run(folder, ["--messages", chat, "--tokens"])
        let lines = table.text.split(separator: "\n")
        #expect(lines.count == tokens.count && lines[0].hasSuffix("1 *\"<|im_start|>\""))
        #expect(lines.count { $0.contains("*") } == 3)
    }

    @Test func variables() throws {
        let folder = folder()
        let chat = #"{"messages": [], "tools": [{"b": 1, "a": "<"}], "mood": "calm"}"#
        let text = try run(folder, ["--messages", "-"], input: chat).text
        #expect(text == "[[{\"b\": 1, \"a\": \"<\"}]]<|im_start|>assistant\ncalm")
        let other = try run(
            folder, ["--messages", "-", "--set", "mood=1.0", "--set", "tools=[]", "--no-generation-prompt"], input: chat
        )
        #expect(other.text == "1.0")
        let word = try run(folder, ["--messages", "-", "--set", "mood=a=b", "--no-generation-prompt"], input: "[]")
        #expect(word.text == "a=b")
    }

    @Test func choosingATemplate() throws {
        let folder = folder()
        #expect(try run(folder, ["--list"]).text == "default\nshort\n")
        #expect(try run(folder, ["--list", "--json"]).json()["templates"] as? [String] == ["default", "short"])
        let chat = folder.path + "/chat.json"
        #expect(try run(folder, ["--messages", chat, "--template", "short"]).text == "1")
        let none = try run(folder, ["--messages", chat, "--template", "nope"])
        #expect(none.code == 1 && none.error.contains("\"nope\" among \"default\", \"short\""))
        // A file needs no model; with one there are tokens, too.
        let file = folder.write("draft.jinja", "{{ messages[0].role }}<|im_end|>")
        let alone = try Command.run(["chat-template", "--template-file", file, "--messages", chat, "--json"]).json()
        #expect(alone["text"] as? String == "user<|im_end|>" && Set(alone.keys) == ["text"])
        let both = try run(folder, ["--template-file", file, "--messages", chat, "--json"]).json()
        #expect((both["tokens"] as? [Int])?.last == 2)
        let tokens = try Command.run(["chat-template", "--template-file", file, "--messages", chat, "--tokens"])
        #expect(tokens.code == 1 && tokens.error.contains("--model"))
    }

    @Test func manyConversations() throws {
        let folder = folder()
        let input = "[]\n\n{\"messages\": 1}\n[{\"role\": \"user\", \"content\": \"a\\nb\"}]\n"
        let result = try run(folder, ["--messages", "-", "--lines", "--no-generation-prompt"], input: input)
        #expect(result.code == 1)
        let lines = try result.text.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(lines.count == 3)
        #expect(lines.map { $0["text"] as? String } == ["", nil, "<|im_start|>user\na\nb<|im_end|>\n"])
        #expect((lines[1]["error"] as? String)?.contains("\"messages\" is a number") == true)
    }

    @Test func failures() throws {
        let folder = folder()
        func fails(_ arguments: [String], _ input: String?, code: Int32 = 1, _ reason: String) throws {
            let result = try run(folder, arguments, input: input)
            #expect(result.code == code && result.output.isEmpty, "\(arguments) \(result.text)")
            #expect(result.error.contains(reason), "\(arguments): \(result.error)")
        }
        try fails([], nil, code: 64, "--messages FILE")
        try fails(["--messages", "-", "--template", "a", "--template-file", "b"], nil, code: 64, "not both")
        try fails(["--messages", "-", "--lines", "--tokens"], nil, code: 64, "not both")
        try fails(["--messages", "-", "--set", "x"], nil, code: 64, "NAME=VALUE")
        try fails(["--messages", "/nowhere.json"], nil, "/nowhere.json: cannot be read")
        try fails(["--messages", folder.path], nil, "cannot be read")
        try fails(["--messages", "-", "--template-file", "/nowhere.jinja"], "[]", "/nowhere.jinja")
        try fails(["--messages", "-"], "", "standard input")
        try fails(["--messages", "-"], "[{]", "line 1")
        try fails(["--messages", "-"], String(repeating: "[", count: 10_000), "nested deeper")
        let bad = folder.write("bad.jinja", "\n{% for x in messages %}{{ x|nope }}{% endfor %}")
        try fails(
            ["--messages", "-", "--template-file", bad], "[]", "bad.jinja: chat template, line 2: the filter 'nope'")
        let raising = folder.write("raising.jinja", "{{ raise_exception('no \u{1B}[31m system') }}")
        try fails(["--messages", "-", "--template-file", raising], "[]", "line 1: no ")
        let unmade = try Command.run(["chat-template", "--messages", "-", "--model", Command.gpt2], input: "[]")
        #expect(unmade.code == 1 && unmade.error.contains("no chat template"))
    }
}
