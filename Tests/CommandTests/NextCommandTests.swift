import Foundation
import Testing
import TinyTestSupport

@testable import TinyGPTCommand

@Suite("tinygpt next")
struct NextCommandTests {
    private func json(_ arguments: [String], input: String? = nil) throws -> [String: Any] {
        let result = try Command.run(["next", "--json"] + Command.model + arguments, input: input)
        #expect(result.code == 0, "\(result.error)")
        return try result.json()
    }

    @Test func steps() throws {
        let json = try json(["ab", "--steps", "4", "--top", "3"])
        let steps = try #require(json["steps"] as? [[String: Any]])
        #expect(Set(json.keys) == ["candidates", "steps", "text", "stop_reason"] && steps.count == 4)
        let generated = try Command.run(["generate", "ab", "--max-tokens", "4", "--json"] + Command.model).json()
        #expect(steps.compactMap { $0["id"] as? Int } == generated["tokens"] as? [Int])
        #expect(json["text"] as? String == generated["text"] as? String)
        var sum = 0.0
        for step in steps {
            sum += try #require(step["log_probability"] as? Double)
            #expect(abs((step["text_log_probability"] as? Double ?? 0) - sum) < 1e-12 && step["rank"] as? Int == 1)
            #expect((step["candidates"] as? [Any])?.count == 3 && (step["entropy"] as? Double ?? -1) > 0)
        }
        let plain = try Command.run(["next", "ab", "--steps", "4"] + Command.model)
        #expect(plain.code == 0 && plain.text.split(separator: "\n").count == 6)
    }

    @Test func text() throws {
        let folder = TemporaryFolder()
        let path = folder.write("text.txt", "ab 你好")
        let given = try json(["--text", "ab 你好", "--top", "2"])
        let tokens = try #require(given["tokens"] as? [[String: Any]])
        #expect(tokens.compactMap { $0["id"] as? Int }.count == tokens.count && tokens.count > 4)
        #expect(tokens[0]["probability"] is NSNull && tokens[0]["rank"] is NSNull)
        #expect(tokens.dropFirst().allSatisfy { ($0["probability"] as? Double ?? 0) > 0 && $0["rank"] is Int })
        #expect(tokens.contains { $0["bytes"] is [Int] }, "parts of characters have their bytes")
        let sum = tokens.compactMap { $0["log_probability"] as? Double }.reduce(0, +)
        #expect(abs(sum - (given["log_probability"] as? Double ?? 0)) < 1e-9)
        let mean = try #require(given["mean_log_probability"] as? Double)
        #expect(abs(exp(-mean) - (given["perplexity"] as? Double ?? 0)) < 1e-6)
        #expect(given["scored_tokens"] as? Int == tokens.count - 1 && (given["candidates"] as? [Any])?.count == 2)
        for arguments in [["--text-file", path], ["--text-file", "-"]] {
            let same = try json(arguments + ["--top", "2"], input: "ab 你好")
            #expect(NSDictionary(dictionary: same) == NSDictionary(dictionary: given))
        }
        let plain = try Command.run(["next", "--text", "ab 你好"] + Command.model)
        #expect(plain.text.contains("\"\\xE4\"") && plain.text.contains("perplexity"))
        #expect(!plain.text.contains("\u{FFFD}"))
    }

    @Test func lensAndAttention() throws {
        let json = try json(["ab cd", "--lens", "--attention", "--layers", "1,3"])
        let lens = try #require(json["lens"] as? [[String: Any]])
        #expect(lens.compactMap { $0["layer"] as? Int } == [1, 3])
        #expect(
            (lens[1]["candidates"] as? [[String: Any]])?.first?["logit"] as? Double
                == (json["candidates"] as? [[String: Any]])?.first?["logit"] as? Double)
        let heads = try #require(json["attention"] as? [[String: Any]])
        #expect(heads.count == 8 && heads.compactMap { $0["layer"] as? Int } == [1, 1, 1, 1, 3, 3, 3, 3])
        for head in heads {
            for (token, row) in try #require(head["weights"] as? [[Double]]).enumerated() {
                #expect(row.count == token + 1 && abs(row.reduce(0, +) - 1) < 1e-5)
            }
        }
        let plain = try Command.run(["next", "ab", "--lens", "--attention"] + Command.model)
        #expect(plain.text.contains("looked at") && plain.text.contains("after a layer"))
    }

    /// The model made by hand, from its files to what is printed.
    @Test func looksBack() throws {
        let folder = LookingBackModel.write()
        let result = try Command.run(
            ["next", "abcd", "--attention", "--json", "--model", folder.path, "--threads", "1"])
        let heads = try #require(try result.json()["attention"] as? [[String: Any]])
        let rows = try #require(heads[0]["weights"] as? [[Double]])
        for (token, row) in rows.enumerated() { #expect(row[max(0, token - 1)] > 0.99) }
        #expect(heads[0]["head"] as? Int == 1 && rows.count == 4)
    }

    @Test func page() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/page.html"
        let result = try Command.run(["next", "--text", "ab <script>", "--lens", "--html", path] + Command.model)
        #expect(result.code == 0 && result.error.contains("page.html"))
        let html = String(decoding: readFile(path), as: UTF8.self)
        #expect(html.hasPrefix("<!DOCTYPE html>") && html.contains("lensLayers"))
        // A prompt's tokens are scored for the page too.
        _ = try json(["ab cd", "--html", path])
        #expect(String(decoding: readFile(path), as: UTF8.self).contains("\"scored\":"))
        let unwritable = try Command.run(["next", "ab", "--html", "/nowhere/page.html"] + Command.model)
        #expect(unwritable.code == 1 && unwritable.error.contains("/nowhere/page.html"))
    }

    @Test(arguments: [
        ["ab", "--top", "0"], ["ab", "--steps", "-1"], ["ab", "--layers", "1"], ["ab", "--text", "cd"],
        ["--text", "a", "--text-file", "b"], ["ab", "--lens", "--layers", "2-1"], ["ab", "--lens", "--layers", "1,,2"],
        ["ab", "--lens", "--layers", "0-99999999999"],
    ])
    func wrongUsage(_ arguments: [String]) throws {
        #expect(try Command.run(["next"] + Command.model + arguments).code == 64)
    }

    @Test func failures() throws {
        let layer = try Command.run(["next", "ab", "--lens", "--layers", "4"] + Command.model)
        #expect(layer.code == 1 && layer.error.contains("lens(4)") && layer.error.contains("0 to 3"))
        #expect(try Command.run(["next", "--text", ""] + Command.model).code == 1)
        let missing = try Command.run(["next", "--text-file", "/nowhere/x"] + Command.model)
        #expect(missing.code == 1 && missing.error.contains("/nowhere/x"))
    }

    @Test func columns() {
        #expect("abc".columns == 3 && "你好".columns == 4 && "ｱ".columns == 1 && "Ａ".columns == 2)
        #expect("👩‍👩‍👧".columns == 2 && "e\u{301}".columns == 1 && "❤️".columns == 2 && "한국".columns == 4)
        #expect("你好".padded(to: 6) == "你好  " && "你".leftPadded(to: 3) == " 你")
        #expect("你好吗".cut(to: 5) == "你好…" && "你好吗".cut(to: 4) == "你…" && "abc".cut(to: 3) == "abc")
        #expect("".columns == 0 && "".cut(to: 0) == "")
    }
}
