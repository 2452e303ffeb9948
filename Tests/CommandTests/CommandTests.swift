import Foundation
import Testing
import TinyTestSupport

@Suite("The command")
struct CommandTests {
    // MARK: JSON contract (design, section 8)

    @Test(arguments: [Command.llama, Command.gguf, Command.gpt2]) func generate(_ model: String) throws {
        let result = try Command.run(
            ["generate", "ab", "--max-tokens", "9", "--json", "--model", model, "--threads", "1"])
        #expect(result.code == 0 && result.error == "")
        let json = try result.json()
        #expect(
            Set(json.keys).isSuperset(of: [
                "text", "tokens", "prompt_tokens", "completion_tokens", "stop_reason", "timings",
            ]))
        let timings = try #require(json["timings"] as? [String: Double])
        #expect(
            Set(timings.keys) == [
                "load_seconds", "prefill_seconds", "decode_seconds", "prefill_tokens_per_second",
                "decode_tokens_per_second",
            ])
        #expect(timings.values.allSatisfy { $0 >= 0 && $0.isFinite })
        let tokens = try #require(json["tokens"] as? [Int])
        #expect(json["completion_tokens"] as? Int == tokens.count)
        #expect(["max_tokens", "end_of_text"].contains(json["stop_reason"] as? String))
        // The text is that of the tokens, in either direction of asking.
        let decoded = try Command.run(
            ["tokenize", "--model", model, "--json", "--decode"] + tokens.map(String.init)
        ).json()
        #expect(decoded["text"] as? String == json["text"] as? String)
        // Twice the same.
        let again = try Command.run(
            ["generate", "ab", "--max-tokens", "9", "--json", "--model", model, "--threads", "2"]
        ).json()
        #expect(again["tokens"] as? [Int] == tokens)
        // And the same as plain text.
        let plain = try Command.run(["generate", "ab", "--max-tokens", "9", "--model", model])
        #expect(plain.text == (json["text"] as? String ?? "") + "\n")
        #expect(plain.error.contains("tokens read") && plain.error.contains("generated"))
        #expect(!plain.error.contains("\u{1B}"), "progress belongs on a terminal")
    }

    @Test func tokenize() throws {
        let text = "Hi 你好 👍🏽\n<|im_start|>"
        let json = try Command.run(["tokenize", text, "--json"] + Command.model).json()
        let tokens = try #require(json["tokens"] as? [Int])
        let pieces = try #require(json["pieces"] as? [String])
        #expect(Set(json.keys) == ["tokens", "pieces"])
        #expect(tokens.count == pieces.count && tokens.count > 5)
        #expect(!tokens.contains(1))  // <|im_start|> is cut up
        let back = try Command.run(["tokenize", "--json"] + Command.model + ["--decode"] + tokens.map(String.init))
            .json()
        #expect(back["text"] as? String == text && Set(back.keys) == ["text"])
        let special = try Command.run(["tokenize", "<|im_start|>", "--special", "--json"] + Command.model).json()
        #expect(special["tokens"] as? [Int] == [1])
    }

    @Test(arguments: [Command.llama, Command.gguf, Command.gpt2]) func inspect(_ model: String) throws {
        let json = try Command.run(["inspect", "--model", model, "--json"]).json()
        #expect(
            Set(json.keys).isSuperset(of: ["family", "spec", "tensors", "parameters", "bytes", "warnings"]))
        let tensors = try #require(json["tensors"] as? [[String: Any]])
        #expect(tensors.count > 10)
        #expect(tensors.allSatisfy { Set($0.keys) == ["name", "type", "shape", "bytes"] })
        #expect(tensors.reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) } == json["bytes"] as? Int)
        #expect((json["warnings"] as? [String])?.isEmpty == true)
        #expect(((json["spec"] as? [String: Any])?["layers"] as? [Any])?.count == 3)
        let plain = try Command.run(["inspect", "--model", model])
        #expect(plain.code == 0)
        for tensor in tensors { #expect(plain.text.contains(tensor["name"] as? String ?? "?")) }
    }

    @Test func next() throws {
        let json = try Command.run(["next", "ab", "--top", "4", "--json"] + Command.model).json()
        let candidates = try #require(json["candidates"] as? [[String: Any]])
        #expect(Set(json.keys) == ["candidates"] && candidates.count == 4)
        #expect(candidates.allSatisfy { Set($0.keys) == ["id", "piece", "probability", "logit"] })
        let probabilities = candidates.compactMap { $0["probability"] as? Double }
        #expect(probabilities.count == 4 && probabilities == probabilities.sorted(by: >))
        let first = try Command.run(["generate", "ab", "--max-tokens", "1", "--json"] + Command.model).json()
        #expect((first["tokens"] as? [Int])?.first == candidates[0]["id"] as? Int)
        let all = try Command.run(["next", "ab", "--top", "100000", "--json"] + Command.model).json()
        #expect((all["candidates"] as? [Any])?.count == 288)
    }

    @Test func bench() throws {
        let lengths = ["--prompt-tokens", "12", "--generate-tokens", "5", "--repetitions", "3", "--cold-starts", "0"]
        let json = try Command.run(["bench", "--json"] + lengths + Command.model).json()
        #expect(
            Set(json.keys).isSuperset(
                of: ["results", "machine", "isa", "threads", "load_seconds", "peak_memory_bytes"]))
        #expect(json["threads"] as? Int == 1 && (json["isa"] as? String)?.isEmpty == false)
        let results = try #require(json["results"] as? [[String: Any]])
        #expect(results.map { $0["test"] as? String } == ["prompt", "decode"])
        #expect(results.map { $0["tokens"] as? Int } == [12, 5])
        for result in results {
            let speeds = try #require(result["tokens_per_second"] as? [String: Double])
            let (least, median, most) = (speeds["min"] ?? 0, speeds["median"] ?? 0, speeds["max"] ?? 0)
            #expect(speeds.count == 3 && least > 0 && least <= median && median <= most)
        }
        // The fixture has forty learned positions; a longer prompt is refused with both numbers.
        let long = try Command.run(["bench", "--prompt-tokens", "41", "--model", Command.gpt2])
        #expect(long.code == 1 && long.error.contains("40") && long.error.contains("41"))
        #expect(try Command.run(["bench", "--repetitions", "0"] + Command.model).code == 64)
    }

    // MARK: verify

    private func verify(_ reference: String, _ more: [String] = []) throws -> CommandResult {
        try Command.run(["verify", "--reference", reference, "--precision", "exact"] + Command.model + more)
    }

    static let verifyKeys: Set<String> = [
        "max_abs_diff", "mean_abs_diff", "max_abs_reference", "argmax_agreement", "rows", "first_bad_row",
        "first_bad_layer", "passed",
    ]

    @Test func verifyHolds() throws {
        let result = try verify(Command.llama + "/reference.safetensors", ["--json"])
        #expect(result.code == 0)
        let json = try result.json()
        #expect(Set(json.keys).isSuperset(of: Self.verifyKeys))
        #expect(
            json["passed"] as? Bool == true && json["argmax_agreement"] as? Double == 1 && json["rows"] as? Int == 20)
        #expect(json["first_bad_row"] is NSNull && json["first_bad_layer"] is NSNull)
        #expect(try verify(Command.llama + "/reference.safetensors").code == 0)
    }

    /// A reference that is wrong from row 5 of layer 2 on, and in the logits of row 7.
    @Test func verifyDoesNotHold() throws {
        let folder = TemporaryFolder()
        let path = folder.write("reference.safetensors", try tampered(Command.llama + "/reference.safetensors"))
        let result = try verify(path, ["--json"])
        #expect(result.code == 1)
        let json = try result.json()
        #expect(json["passed"] as? Bool == false && json["first_bad_row"] as? Int == 5)
        #expect(json["first_bad_layer"] as? Int == 2)
        #expect((json["max_abs_diff"] as? Double ?? 0) > 1)
        #expect((json["argmax_agreement"] as? Double ?? 1) < 1)
        let plain = try verify(path)
        #expect(plain.code == 1)
        #expect(plain.text.contains("NOT") && plain.text.contains("row 5") && plain.text.contains("diverges: 2"))
    }

    /// One infinity in a reference would make room for every difference.
    @Test func verifyRefusesInfinities() throws {
        let folder = TemporaryFolder()
        let original = Command.llama + "/reference.safetensors"
        let path = folder.write("reference.safetensors", try tampered(original, with: .infinity))
        let result = try verify(path)
        #expect(result.code == 1 && result.error.contains("hidden.2") && result.error.contains("finite"))
    }

    /// A model whose configuration has a key that nobody understands runs, and says so.
    @Test func warnings() throws {
        let folder = TemporaryFolder()
        for name in ["model.safetensors", "tokenizer.json"] { folder.write(name, readFile(Command.llama + "/" + name)) }
        let config = String(decoding: readFile(Command.llama + "/config.json"), as: UTF8.self)
        folder.write(
            "config.json", config.replacingOccurrences(of: "\"mlp_bias\"", with: "\"mystery\": 1, \"mlp_bias\""))
        let result = try Command.run(["generate", "ab", "--max-tokens", "1", "--model", folder.path])
        #expect(result.code == 0 && result.error.contains("warning") && result.error.contains("mystery"))
    }

    private func tampered(_ path: String, with value: Float = 1000) throws -> [UInt8] {
        var bytes = readFile(path)
        let length = bytes[..<8].enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
        let header = try #require(
            try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: [String: Any]])
        for (name, row, width) in [("hidden.2", 5, 64), ("logits", 7, 288)] {
            let offsets = try #require(header[name]?["data_offsets"] as? [Int])
            let place = 8 + length + offsets[0] + (row * width + 3) * 4
            withUnsafeBytes(of: value.bitPattern.littleEndian) {
                bytes.replaceSubrange(place..<place + 4, with: $0)
            }
        }
        return bytes
    }

    @Test func verifyErrors() throws {
        let missing = try verify("/nowhere/reference.safetensors")
        #expect(missing.code == 1 && missing.error.contains("/nowhere/reference.safetensors"))
        let other = try verify(Fixtures.path("llama-f16/reference.safetensors"))
        #expect(other.code == 1 && other.error.contains("llama-f16/reference.safetensors"))
        let weights = try verify(Command.llama + "/model.safetensors")
        #expect(weights.code == 1 && weights.error.contains("token_ids"))
        #expect(try verify(Command.llama + "/reference.safetensors", ["--tolerance", "-1"]).code == 64)
        #expect(try Command.run(["verify"] + Command.model).code == 64)
    }

    // MARK: Where text comes from

    @Test func prompts() throws {
        let folder = TemporaryFolder()
        let text = "终于 👩‍👩‍👧\u{301}\n ab"
        let path = folder.write("prompt.txt", text)
        func tokens(_ arguments: [String], input: String? = nil) throws -> [Int] {
            let json = try Command.run(["tokenize", "--json"] + Command.model + arguments, input: input).json()
            return try #require(json["tokens"] as? [Int])
        }
        let expected = try tokens([text])
        #expect(try tokens(["--file", path]) == expected)
        #expect(try tokens([], input: text) == expected)
        let generated = try Command.run(["generate", text, "--max-tokens", "3", "--json"] + Command.model).json()
        #expect(generated["prompt_tokens"] as? Int == expected.count)
        let both = try Command.run(["tokenize", "x", "--file", path] + Command.model)
        #expect(both.code == 64 && both.error.contains("--file"))
        let missing = try Command.run(["generate", "--file", "/nowhere/x.txt"] + Command.model)
        #expect(missing.code == 1 && missing.error.contains("/nowhere/x.txt"))
        let bad = folder.write("bad.txt", [0x61, 0xFF, 0x62])
        let invalid = try Command.run(["generate", "--file", bad] + Command.model)
        #expect(invalid.code == 1 && invalid.error.contains("bad.txt") && invalid.error.contains("UTF-8"))
        let empty = try Command.run(["generate", ""] + Command.model)
        #expect(empty.code == 1 && !empty.error.isEmpty && empty.text == "")
    }

    // MARK: Options of generate

    @Test func stops() throws {
        let whole = try Command.run(["generate", "ab", "--max-tokens", "12", "--json"] + Command.model).json()
        let text = try #require(whole["text"] as? String)
        let stop = String(text[text.index(text.startIndex, offsetBy: text.count / 2)])
        let json = try Command.run(
            ["generate", "ab", "--max-tokens", "12", "--json", "--stop", stop, "--stop", "never"] + Command.model
        ).json()
        #expect(json["stop_reason"] as? String == "stop_string")
        let short = try #require(json["text"] as? String)
        #expect(text.hasPrefix(short) && !short.contains(stop))
    }

    @Test func maxTokens() throws {
        let json = try Command.run(["generate", "ab", "--max-tokens", "0", "--json"] + Command.model).json()
        #expect(json["text"] as? String == "" && json["tokens"] as? [Int] == [])
        #expect(json["stop_reason"] as? String == "max_tokens" && json["completion_tokens"] as? Int == 0)
        // More than there is room for, and more than anyone has memory for.
        for (model, count) in [(Command.llama, "9223372036854775807"), (Fixtures.path("llama-dynamic"), "100")] {
            let json = try Command.run(["generate", "ab", "--max-tokens", count, "--json", "--model", model]).json()
            #expect(["context_full", "end_of_text", "max_tokens"].contains(json["stop_reason"] as? String))
        }
    }

    /// Where the rotation stretches there is no limit to the context but memory; asking for more is no trap.
    @Test(arguments: ["1000000000000", "9223372036854775807"]) func moreThanMemory(_ count: String) throws {
        let result = try Command.run(
            [
                "generate", "ab", "--max-tokens", count, "--json", "--stop", "a", "--stop", "e", "--seed", "1",
                "--temperature", "1", "--model",
                Fixtures.path("llama-dynamic"),
            ])
        #expect(result.code == 0 && result.error == "")
    }

    @Test func sampling() throws {
        func tokens(_ seed: String) throws -> [Int]? {
            try Command.run(
                [
                    "generate", "ab", "--max-tokens", "20", "--temperature", "2", "--top-k", "200", "--seed", seed,
                    "--json",
                ]
                    + Command.model
            ).json()["tokens"] as? [Int]
        }
        #expect(try tokens("1") == tokens("1"))
        #expect(try tokens("1") != tokens("2"))
    }

    @Test func tooLong() throws {
        for model in [Command.llama, Command.gpt2] {
            let limit = model == Command.llama ? 64 : 40
            for command in ["generate", "next"] {
                let prompt = String(repeating: "7 ", count: 100)
                let count =
                    try Command.run(["tokenize", prompt, "--json", "--model", model]).json()["tokens"] as? [Int]
                let result = try Command.run([command, prompt, "--model", model])
                #expect(result.code == 1 && result.text == "")
                #expect(
                    result.error.contains("\(limit)") && result.error.contains("\(count?.count ?? -1)"),
                    "\(result.error)")
            }
        }
    }

    // MARK: Wrong usage and bad files

    @Test(arguments: [
        ["generate", "x", "--max-tokens", "-1"], ["generate", "x", "--max-tokens", "many"],
        ["generate", "x", "--temperature", "-1"], ["generate", "x", "--temperature", "nan"],
        ["generate", "x", "--top-p", "0"], ["generate", "x", "--top-p", "1.5"], ["generate", "x", "--top-k", "-2"],
        ["generate", "x", "--min-p", "2"], ["generate", "x", "--repetition-penalty", "0"],
        ["generate", "x", "--seed", "-1"], ["generate", "x", "--threads", "0"],
        ["generate", "x", "--precision", "double"],
        ["generate", "x", "y"], ["next", "x", "--top", "0"], ["frobnicate"], ["generate", "x", "--frobnicate"],
        ["tokenize", "--decode", "x"], ["inspect", "--threads", "1025"],
    ]) func wrongUsage(_ arguments: [String]) throws {
        let result = try Command.run(arguments, environment: ["TINYGPT_MODEL": Command.llama])
        #expect(result.code == 64 && result.text == "" && result.error.contains("Error"))
    }

    @Test(arguments: ["generate", "next", "tokenize", "inspect", "verify", "perplexity"])
    func badFiles(_ command: String) throws {
        let folder = TemporaryFolder()
        let cut = folder.write("cut.gguf", Array(readFile(Command.gguf).prefix(1000)))
        let noise = folder.write("noise.bin", Array("this is no model at all".utf8))
        for path in [cut, noise, "/nowhere/model.gguf", folder.path, "/dev/null"] {
            var arguments = [command, "--model", path]
            if command == "verify" { arguments += ["--reference", Command.llama + "/reference.safetensors"] }
            if ["generate", "next", "tokenize", "perplexity"].contains(command) { arguments.append("x") }
            let result = try Command.run(arguments)
            #expect(result.code == 1 && result.text == "", "\(path): \(result.code)")
            // A file that is no model may lie beside a tokenizer, which is then what is missing.
            let named = command == "tokenize" && path.hasPrefix(folder.path) ? folder.path : path
            #expect(result.error.contains(named), "\(path): \(result.error)")
            #expect(result.seconds < 1)
        }
    }

    @Test func unknownToken() throws {
        let result = try Command.run(["tokenize"] + Command.model + ["--decode", "100000"])
        #expect(result.code == 1 && result.error.contains("100000"))
    }

    // MARK: Environment and help

    @Test func modelFromTheEnvironment() throws {
        let environment = ["TINYGPT_MODEL": Command.gpt2]
        let json = try Command.run(["inspect", "--json"], environment: environment).json()
        #expect(json["family"] as? String == "GPT-2")
        let other = try Command.run(["inspect", "--json", "--model", Command.llama], environment: environment).json()
        #expect(other["family"] as? String == "LLaMA")
    }

    @Test func instructionSet() throws {
        let result = try Command.run(["next", "x"] + Command.model, environment: ["TINYGPT_ISA": "nonsense"])
        #expect(result.code == 1 && result.text == "")
        #expect(
            result.error.contains("TINYGPT_ISA") && result.error.contains("nonsense") && result.error.contains("plain"))
        let best = try Command.run(["next", "x", "--json"] + Command.model).json()
        let plain = try Command.run(["next", "x", "--json"] + Command.model, environment: ["TINYGPT_ISA": "plain"])
            .json()
        func ids(_ json: [String: Any]) -> [Int]? {
            (json["candidates"] as? [[String: Any]])?.prefix(3).compactMap { $0["id"] as? Int }
        }
        #expect(ids(best) == ids(plain))
    }

    @Test func help() throws {
        let version = try Command.run(["--version"])
        #expect(version.code == 0 && version.text.contains("0.1"))
        let help = try Command.run(["--help"])
        #expect(help.code == 0)
        for word in ["generate", "tokenize", "inspect", "verify", "next", "perplexity", "TINYGPT_MODEL", "Examples"] {
            #expect(help.text.contains(word))
        }
        for command in ["generate", "tokenize", "inspect", "verify", "next", "perplexity"] {
            let help = try Command.run([command, "--help"])
            #expect(help.code == 0 && help.text.contains("--model") && help.text.contains("--json"))
        }
        let completion = try Command.run(["--generate-completion-script", "bash"])
        #expect(completion.code == 0 && completion.text.contains("complete"))
    }
}
