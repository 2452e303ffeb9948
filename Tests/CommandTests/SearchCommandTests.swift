#if Retrieval
    import Foundation
    import Testing
    import TinyTestSupport

    /// With a random model: what is asked for by its very words must be found first, whatever it means.
    @Suite("embed --index, search") struct SearchCommandTests {
        private let folder = TemporaryFolder()

        init() {
            folder.write("one.md", "ab cd")
            folder.write("二.txt", "你好。")
            folder.write("image", [0x89, 0, 1])
        }

        private func embed(_ more: [String] = []) throws -> CommandResult {
            try Command.run(["embed", "--index", folder.path] + Command.model + more)
        }

        private func search(_ more: [String], input: String? = nil) throws -> CommandResult {
            try Command.run(["search", "--index", folder.path] + Command.model + more, input: input)
        }

        @Test func jsonContract() throws {
            let result = try embed(["--json"])
            let json = try result.json()
            #expect(result.code == 0 && result.error.contains("warning: image: is not text: byte 1 is zero"))
            #expect(
                Set(json.keys) == [
                    "database", "files", "passages", "updated_files", "unchanged_files", "removed_files",
                    "embedded_passages", "skipped", "seconds",
                ])
            #expect(json["files"] as? Int == 2 && json["passages"] as? Int == 2)
            #expect(json["database"] as? String == folder.path + "/.tinygpt/index.sqlite")
            for (query, file) in [("ab cd", "one.md"), ("你好。", "二.txt")] {
                let found = try search([query, "--json"]).json()
                #expect(Set(found.keys) == ["query", "results"] && found["query"] as? String == query)
                let results = try #require(found["results"] as? [[String: Any]])
                #expect(results.count == 2 && results[0]["file"] as? String == file)
                #expect(Set(results[0].keys) == ["file", "start_line", "end_line", "score", "text"])
                #expect(results[0]["text"] as? String == query && results[0]["start_line"] as? Int == 1)
                #expect(abs((results[0]["score"] as? Double ?? 0) - 1) < 1e-4)
            }
            #expect(try search(["ab", "--top", "1", "--json"]).json()["results"].map { ($0 as? [Any])?.count } == 1)
            let prompt = try search(["ab cd", "--prompt", "--json"]).json()["prompt"] as? String
            #expect(try search(["ab cd", "--prompt"]).text == prompt)
            #expect(prompt?.hasSuffix("[one.md, line 1]\nab cd\n\nQuestion: ab cd\nAnswer:") == true)
        }

        @Test func plainText() throws {
            #expect(try embed().text.hasPrefix("2 files, 2 passages in \(folder.path)/.tinygpt/index.sqlite\n"))
            folder.write("one.md", "\u{1B}[31mab\r\ncd")
            #expect(try embed().code == 0)
            let result = try search(["--top", "9"], input: "ab cd")
            #expect(result.text.contains("  one.md, lines 1–2\n    \\u{1b}[31mab\n    cd\n"), "\(result.text)")
            #expect(result.text.contains("  二.txt, line 1\n    你好。\n"))
        }

        @Test func databaseElsewhere() throws {
            let path = folder.path + "/elsewhere.sqlite"
            #expect(try embed(["--database", path]).code == 0)
            #expect(FileManager.default.fileExists(atPath: path))
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/.tinygpt"))
            #expect(try search(["ab", "--database", path]).code == 0)
        }

        @Test func errors() throws {
            var result = try search(["ab"])
            #expect(result.code == 1 && result.error.contains("no index") && result.error.contains("embed --index"))
            #expect(try embed().code == 0)
            result = try Command.run(["search", "--index", folder.path, "ab", "--model", Command.gpt2])
            #expect(result.code == 1 && result.error.contains("llama-default") && result.error.contains("model.gguf"))
            result = try Command.run(["embed", "--index", folder.path + "/nowhere"] + Command.model)
            #expect(result.code == 1 && result.error.contains("/nowhere") && result.error.contains("No such file"))
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/nowhere"))
            #expect(try search([""]).code == 1)
            #expect(try search(["ab", "--top", "0"]).code == 64)
            #expect(try Command.run(["search", "ab"]).code == 64)
            #expect(try Command.run(["embed", "--database", "x", "text"] + Command.model).code == 64)
            #expect(try embed(["text"]).code == 64)
        }
    }
#endif
