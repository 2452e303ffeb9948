import Foundation
import Testing
import TinyTestSupport

/// From a pipe; scripts/check_chat.py drives it on a terminal.
@Suite("chat")
struct ChatCommandTests {
    private let folder = TemporaryFolder()

    init() throws {
        for name in ["model.safetensors", "tokenizer.json"] {
            folder.copy(Fixtures.path("llama-default/\(name)"), as: name)
        }
        let config = try String(contentsOfFile: Fixtures.path("llama-default/config.json"), encoding: .utf8)
        let limit = "\"max_position_embeddings\": "
        folder.write("config.json", config.replacing(limit + "64", with: limit + "512"))
        folder.write(
            "tokenizer_config.json",
            #"{"chat_template": "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"}"#
        )
    }

    private func chat(_ input: String, _ arguments: String...) throws -> CommandResult {
        try Command.run(
            ["chat", "--model", folder.path, "--threads", "1", "--temperature", "0", "--max-tokens", "6"] + arguments,
            input: input)
    }

    @Test func answers() throws {
        let result = try chat("Hello\n\"\"\"\n/two\nlines\n\"\"\"\n//x \\\ny", "--json")
        #expect(result.code == 0)
        let json = try result.json()
        let turns = try #require(json["turns"] as? [[String: Any]])
        #expect(turns.map { $0["message"] as? String } == ["Hello", "/two\nlines", "/x \ny"])
        let texts = turns.compactMap { $0["text"] as? String }
        #expect(
            (json["messages"] as? [[String: String]])?.map { $0["content"] }
                == zip(
                    ["Hello", "/two\nlines", "/x \ny"], texts
                ).flatMap { [$0, $1] })
        for turn in turns {
            let (read, cached) = (turn["read_tokens"] as? Int, turn["cached_tokens"] as? Int)
            #expect(try #require(read) + #require(cached) == turn["prompt_tokens"] as? Int)
            #expect((turn["tokens"] as? [Int])?.count == turn["completion_tokens"] as? Int)
        }
        #expect(turns[0]["cached_tokens"] as? Int == 0 && turns[2]["cached_tokens"] as? Int ?? 0 > 0)
        // The same without JSON is the answers and nothing else.
        #expect(try chat("Hello\n").text == texts[0] + "\n")
        #expect(try chat("").text == "")
    }

    @Test func commands() throws {
        let path = folder.path + "/saved.json"
        let result = try chat("/system Be brief.\nHello\n/stats\n/candidates 2\n/help\n/save \(path)\n/regenerate\n")
        #expect(result.code == 0)
        for part in ["tokens held", "instead", "/regenerate", "Saved: "] { #expect(result.error.contains(part)) }
        let answer = String(result.text.prefix((result.text.count) / 2))
        #expect(result.text == answer + answer)
        let goesOn = try chat("/reset\n/load \(path)\n", "--json").json()
        #expect((goesOn["messages"] as? [[String: String]])?.map { $0["role"] } == ["system", "user", "assistant"])
        let loaded = try chat("", "--json", "--load", path, "--system", "Else.").json()
        #expect((loaded["messages"] as? [[String: String]])?.first?["content"] == "Else.")
        // Saved conversations are what chat-template reads.
        let framed = try Command.run(["chat-template", "--model", folder.path, "--messages", path])
        #expect(framed.code == 0 && framed.text.contains("<|im_start|>system\nBe brief.<|im_end|>"))
    }

    @Test func whatFailsEndsTheRun() throws {
        for (input, reason) in [
            ("Hello\n/foo\nx\n", "line 2: there is no command /foo"), ("/candidates\n", "no answer yet"),
            ("/regenerate\n", "nothing was asked"), ("\"\"\"\nx\n", "ends inside a block"),
            ("/load /no/such/file\n", "/no/such/file"), ("/drop\n", "cannot be dropped"),
            ("/save \(folder.path)/config.json\n", "holds no conversation"),
        ] {
            let result = try chat(input)
            #expect(result.code == 1 && result.error.contains(reason), "\(input): \(result.error)")
            let json = try chat(input, "--json")
            #expect(json.code == 1)
            #expect((try json.json()["error"] as? String)?.contains(reason) == true)
        }
        #expect(try String(contentsOfFile: folder.path + "/config.json", encoding: .utf8).contains("512"))
    }

    @Test func whatDoesNotFit() throws {
        let messages = (0..<4).map { "message number \($0)\n" }.joined()
        let full = try chat(messages, "--context", "120")
        #expect(full.code == 1 && full.error.contains("120 are all there is room for") && full.error.contains("/drop "))
        // Where it is offered, it is taken, and the message sent again.
        let line = try #require(full.error.firstMatch(of: /line (\d)/)).1
        let count = try #require(Int(line))
        let input = (0..<count - 1).map { "message number \($0)\n" }.joined()
        let dropped = try chat(input + "/drop\nmessage number 9\n", "--context", "120", "--json").json()
        #expect((dropped["messages"] as? [[String: String]])?.first?["content"] != "message number 0")
    }

    @Test func wrongUsage() throws {
        for arguments in [
            ["--max-tokens", "0"], ["--context", "1"], ["--temperature", "-1"], ["--top-p", "2"], ["--nonsense"],
        ] {
            #expect(try Command.run(["chat"] + arguments).code == 64, "\(arguments)")
        }
        let plain = try Command.run(["chat"] + Command.model, input: "Hello\n")
        #expect(plain.code == 1 && plain.error.contains("no chat template") && plain.text.isEmpty)
        #expect(try chat("Hello\n", "--context", "513").code == 1)
        #expect(try chat("", "--load", folder.path + "/config.json").code == 1)
    }

    @Test func confidence() throws {
        let result = try chat("Hello\n", "--confidence", "--json")
        let turn = try #require((try result.json()["turns"] as? [[String: Any]])?.first)
        #expect((turn["probabilities"] as? [Double])?.count == turn["completion_tokens"] as? Int)
        let text = try chat("Hello\n", "--confidence")
        #expect(text.text.contains(/\[\d+%\]/) && !text.text.contains("\u{1B}"))
    }
}
