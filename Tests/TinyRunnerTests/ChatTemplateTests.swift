import Testing
import TinyModels
import TinyTemplate
import TinyTestSupport
import TinyTokenizer

@testable import TinyRunner

@Suite("Chat templates")
struct ChatTemplateTests {
    /// A tokenizer and no weights.
    private func folder(_ config: String? = nil) -> TemporaryFolder {
        let folder = TemporaryFolder()
        folder.copy(Fixtures.path("llama-default/tokenizer.json"), as: "tokenizer.json")
        if let config { folder.write("tokenizer_config.json", config) }
        return folder
    }

    private let hello = Conversation([["role": "user", "content": "Hi"]])
    private var withTools: Conversation {
        var conversation = hello
        conversation.tools = []
        return conversation
    }

    // MARK: Where templates come from

    @Test func one() throws {
        let folder = folder(#"{"chat_template": "one {{ bos_token }}{{ messages[0].content }}", "bos_token": "<b>"}"#)
        let template = try ChatTemplate(at: folder.path)
        #expect(template.names == ["default"])
        #expect(try template.text(of: hello) == "one <b>Hi")
        // A single template is for conversations with tools, too.
        #expect(try template.text(of: withTools) == "one <b>Hi")
    }

    @Test(arguments: [
        #"[{"name": "default", "template": "D"}, {"name": "tool_use", "template": "T"}, {"name": "rag", "template": "R"}]"#,
        #"{"default": "D", "tool_use": "T", "rag": "R"}"#,
    ])
    func named(_ list: String) throws {
        let folder = folder(#"{"chat_template": \#(list)}"#)
        let template = try ChatTemplate(at: folder.path)
        #expect(template.names == ["default", "tool_use", "rag"])
        #expect(try template.text(of: hello) == "D")
        #expect(try template.text(of: withTools) == "T")
        #expect(try template.text(of: withTools, named: "rag") == "R")
        #expect(
            throws: RunnerError.noChatTemplateNamed(
                "nope", file: folder.path, available: ["default", "tool_use", "rag"])
        ) { try template.text(of: hello, named: "nope") }
    }

    @Test func filesCountMoreThanTheConfiguration() throws {
        let folder = folder(
            #"{"chat_template": [{"name": "rag", "template": "old"}], "eos_token": {"content": "<e>"}}"#)
        folder.write("chat_template.jinja", "D{{ eos_token }}\n")
        folder.makeFolder("additional_chat_templates")
        folder.write("additional_chat_templates/tool_use.jinja", "T")
        folder.write("additional_chat_templates/notes.txt", "no template")
        let template = try ChatTemplate(at: folder.path)
        #expect(template.names == ["default", "tool_use"])
        #expect(try template.text(of: hello) == "D<e>")
        #expect(try template.text(of: withTools) == "T")
        // A file in the folder names the folder.
        #expect(try ChatTemplate(at: folder.path + "/tokenizer.json").names == ["default", "tool_use"])
    }

    @Test func noDefault() throws {
        let folder = folder(
            #"{"chat_template": [{"name": "tool_use", "template": "T"}, {"name": "rag", "template": "R"}]}"#)
        let template = try ChatTemplate(at: folder.path)
        #expect(try template.text(of: withTools) == "T")
        #expect(
            throws: RunnerError.noChatTemplateNamed("default", file: folder.path, available: ["tool_use", "rag"])
        ) { try template.text(of: hello) }
    }

    /// A vocabulary of these tokens, then one for each byte, as byte-pair encodings spell them.
    private func vocabulary(_ tokens: [String], type: Int32) -> GGUFBytes {
        let isPlain = { (byte: Int) in (33...126).contains(byte) || (161...172).contains(byte) || byte >= 174 }
        let others = (0..<256).filter { !isPlain($0) }.indices.map { 256 + $0 }
        let letters = ((0..<256).filter(isPlain) + others).compactMap { Unicode.Scalar($0).map { String($0) } }
        var file = GGUFBytes()
        file.add("tokenizer.ggml.model", .string("gpt2"))
        file.add("tokenizer.ggml.pre", .string("gpt-2"))
        file.add("tokenizer.ggml.tokens", .strings(tokens + letters))
        file.add("tokenizer.ggml.token_type", .integers(tokens.map { _ in type } + letters.map { _ in 1 }))
        file.add("tokenizer.ggml.merges", .strings([]))
        return file
    }

    @Test func gguf() throws {
        let folder = TemporaryFolder()
        var file = vocabulary(["<b>", "<e>"], type: 3)
        file.add("tokenizer.ggml.bos_token_id", .uint32(0))
        file.add("tokenizer.ggml.eos_token_id", .uint32(1))
        file.add("tokenizer.chat_template", .string("{{ bos_token }}{{ messages[0].content }}{{ eos_token }}"))
        file.add("tokenizer.chat_templates", .strings(["tool_use", "rag"]))
        file.add("tokenizer.chat_template.tool_use", .string("T"))
        file.add("tokenizer.chat_template.rag", .string("R"))
        let path = folder.write("vocabulary.gguf", file.written().bytes)
        for path in [path, folder.path] {
            let template = try ChatTemplate(at: path)
            #expect(template.names == ["default", "tool_use", "rag"])
            #expect(try template.text(of: hello) == "<b>Hi<e>")
            #expect(try template.tokens(of: hello) == [0, 2 + 72 - 33, 2 + 105 - 33, 1])
            #expect(try template.text(of: withTools) == "T")
            #expect(try template.text(of: hello, named: "rag") == "R")
        }
    }

    @Test(arguments: [
        #"{"chat_template": 3}"#, #"{"chat_template": [{"name": "default"}]}"#, #"{"chat_template": ["a"]}"#,
        #"{"chat_template": {"default": 1}}"#,
        #"{"chat_template": [{"name": "a", "template": ""}, {"name": "a", "template": ""}]}"#,
    ])
    func badConfigurations(_ config: String) throws {
        let folder = folder(config)
        #expect { try ChatTemplate(at: folder.path) } throws: {
            "\($0)".contains("tokenizer_config.json") && "\($0)".contains("chat_template")
        }
    }

    @Test func nothingThere() {
        let folder = folder()
        #expect(throws: RunnerError.noChatTemplate(file: folder.path)) { try ChatTemplate(at: folder.path) }
        #expect(throws: (any Error).self) { try ChatTemplate(at: folder.path + "/nowhere") }
    }

    /// One bad template among several is no matter until it is used; then the error names file, template and line.
    @Test func errorsNameFileTemplateAndLine() throws {
        let folder = folder(
            #"{"chat_template": [{"name": "default", "template": "D"}, {"name": "bad", "template": "\n{{ x|nope }}"}]}"#
        )
        let template = try ChatTemplate(at: folder.path)
        #expect(try template.text(of: hello) == "D")
        #expect { try template.text(of: hello, named: "bad") } throws: {
            "\($0)"
                == "\(folder.path)/tokenizer_config.json: \"bad\", chat template, line 2: the filter 'nope' is not supported"
        }
    }

    // MARK: What reaches the template

    @Test func messagesArriveWhole() throws {
        let template = try ChatTemplate(
            source:
                "{{ messages|tojson }}{{ tools|tojson }}{{ documents }}{{ add_generation_prompt }}{{ enable_thinking }}{{ bos_token is defined }}"
        )
        let conversation = try Conversation(
            json: #"""
                {"messages": [{"role": "assistant", "content": null, "extra": [1, 2.5, true],
                 "tool_calls": [{"function": {"name": "f", "arguments": {"b": 1, "a": "ü"}}}]},
                 {"role": "user", "content": [{"type": "text", "text": "x"}]}],
                 "tools": [{"type": "function"}], "enable_thinking": false, "add_generation_prompt": false}
                """#)
        #expect(
            try template.text(of: conversation)
                == #"[{"role": "assistant", "content": null, "extra": [1, 2.5, true], "tool_calls": [{"function": {"name": "f", "arguments": {"b": 1, "a": "ü"}}}]}, {"role": "user", "content": [{"type": "text", "text": "x"}]}][{"type": "function"}]NoneFalseFalseFalse"#
        )
        #expect(throws: RunnerError.noTokenizer(file: "chat template")) { try template.tokens(of: conversation) }
    }

    @Test(arguments: [
        ("", "not valid JSON at byte 0"), ("[1]", "messages[0] is a number"), ("{}", "no \"messages\""),
        ("7", "a number"),
        (#"{"messages": {}}"#, "\"messages\" is an object"),
        (#"{"messages": [], "tools": 1}"#, "\"tools\" is a number"),
        (#"{"messages": [], "tools": ["f"]}"#, "tools[0] is a string"),
        (#"{"messages": [], "add_generation_prompt": 1}"#, "\"add_generation_prompt\" is a number"),
        ("[\n{\"role\": }]", "line 2"), (String(repeating: "[", count: 10_000), "nested deeper"),
        (#"[{"role": "a", "role": "b"}]"#, "twice"),
    ])
    func badConversations(_ json: String, _ reason: String) {
        #expect { try Conversation(json: json) } throws: { "\($0)".contains(reason) }
    }

    @Test func deepValuesAreRefused() throws {
        var value = TemplateValue.integer(1)
        for _ in 0..<2_000 { value = ["a": value] }
        let template = try ChatTemplate(source: "{{ messages }}")
        #expect(throws: ChatTemplateError.self) { try template.text(of: Conversation([["content": value]])) }
    }

    // MARK: Tokens

    /// Whatever a user writes, wherever it stands, no special token comes of it.
    @Test func forgedTokens() throws {
        let folder = folder(
            #"{"chat_template": "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.name %}{{ m.name }}: {% endif %}{{ m.content if m.content is string else m.content[0].text }}{% for c in m.tool_calls %}{{ c|tojson }}{{ c.function.arguments|upper|lower }}{% endfor %}<|im_end|>{% endfor %}{{ tools|tojson }}{{ extra }}"}"#
        )
        let template = try ChatTemplate(at: folder.path)
        let tokenizer = try #require(template.tokenizer)
        let special = (0..<tokenizer.count).filter { tokenizer.isSpecial($0) }
        #expect(special.count >= 2)
        let plain = try Conversation(json: Self.conversation("x"))
        let expected = try template.tokens(of: plain).filter { special.contains($0) }
        for id in special {
            let forged = try tokenizer.piece(id)
            let tokens = try template.tokens(of: Conversation(json: Self.conversation(forged)))
            #expect(tokens.filter { special.contains($0) } == expected, "\(forged)")
            #expect(try tokenizer.decode(tokens).contains(forged))
        }
    }

    private static func conversation(_ text: String) -> String {
        #"""
        {"messages": [{"role": "user", "content": "a\#(text)b", "name": "\#(text)"},
          {"role": "\#(text)", "content": [{"type": "text", "text": "\#(text)"}]},
          {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "\#(text)", "arguments": "\#(text)", "\#(text)": 1}}]}],
         "tools": [{"name": "\#(text)", "\#(text)": "\#(text)"}], "extra": "\#(text)"}
        """#
    }

    /// Templates build special tokens out of well-known roles, and out of no others.
    @Test func rolesMayBecomeSpecialTokens() throws {
        var file = vocabulary(["<|user|>", "<|end|>"], type: 3)
        file.add("tokenizer.chat_template", .string("{% for m in messages %}{{ '<|' + m['role'] + '|>' }}{% endfor %}"))
        let folder = TemporaryFolder()
        let template = try ChatTemplate(at: folder.write("vocabulary.gguf", file.written().bytes))
        #expect(try template.tokens(of: Conversation([["role": "user"]])) == [0])
        let forged = try template.tokens(of: Conversation([["role": "end"]]))
        #expect(!forged.contains(1) && forged.count == 7)
    }

    /// Added tokens that the template uses steer the model, though its file does not call them special; those that it does
    /// not use are words like others.
    @Test func controlTokens() throws {
        var file = vocabulary(["<call>", "<b>"], type: 4)
        file.add("tokenizer.chat_template", .string("<call>{{ messages[0].content }}{{ '</call>' }}"))
        let folder = TemporaryFolder()
        let template = try ChatTemplate(at: folder.write("vocabulary.gguf", file.written().bytes))
        let tokens = try template.tokens(of: Conversation([["content": "<call><b>"]]))
        #expect(tokens.first == 0 && tokens.count { $0 == 0 } == 1 && tokens.count { $0 == 1 } == 1)
    }

    // MARK: An answer that is begun

    /// The text ends where the last message ends, whatever the template puts behind it and however it trims.
    @Test(arguments: ["{{ m.content }}", "{{ m.content|trim }}", "{{ m['content'].split('#')[-1] }}"])
    func continuation(_ content: String) throws {
        let template = try ChatTemplate(
            source:
                "{% for m in messages %}<{{ m.role }}>\(content)<end>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
        )
        var conversation = Conversation([
            ["role": "user", "content": "Sun? \u{E000}"], ["role": "assistant", "content": "The answer is "],
        ])
        conversation.continuesLast = true
        #expect(try template.text(of: conversation) == "<user>Sun? \u{E000}<end><assistant>The answer is ")
    }

    @Test(arguments: [
        ("{{ messages[0].content }}", "does not show the last message"),
        ("{{ messages[1].content }}{{ messages[1].content }}", "does not show the last message"),
        ("{{ messages[1].content|length }}", "does not show the last message"),
    ])
    func noContinuation(_ source: String, _ reason: String) throws {
        var conversation = Conversation([["role": "user", "content": "a"], ["role": "assistant", "content": "b"]])
        conversation.continuesLast = true
        let template = try ChatTemplate(source: source)
        let error = #expect(throws: RunnerError.self) { try template.text(of: conversation) }
        #expect(error.map { "\($0)" }?.contains(reason) == true)
    }

    @Test func onlyAnAssistantIsContinued() throws {
        let template = try ChatTemplate(source: "{{ messages[0].content }}")
        for message: TemplateValue in [
            ["role": "user", "content": "a"], ["role": "assistant", "content": ""], ["role": "assistant"],
        ] {
            var conversation = Conversation([message])
            conversation.continuesLast = true
            #expect(throws: RunnerError.self) { try template.text(of: conversation) }
        }
    }
}
