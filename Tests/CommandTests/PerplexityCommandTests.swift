import Foundation
import Testing
import TinyTestSupport

@Suite("The command perplexity")
struct PerplexityCommandTests {
    private let folder = TemporaryFolder()

    private func run(_ file: String, _ more: [String] = []) throws -> CommandResult {
        try Command.run(["perplexity", "--file", file] + more + Command.model)
    }

    private static let text = "The quick brown 狐狸 jumps over 13 lazy dogs; nobody knows why.\n"

    @Test(arguments: [[], ["--window", "16", "--stride", "5"], ["--window", "16", "--convention", "llama.cpp"]])
    func json(_ more: [String]) throws {
        let file = folder.write("text.txt", Self.text)
        let result = try run(file, ["--json"] + more)
        #expect(result.code == 0 && result.error == "")
        let json = try result.json()
        #expect(Set(json.keys) == ["perplexity", "tokens", "negative_log_likelihood"])
        let perplexity = try #require(json["perplexity"] as? Double)
        let tokens = try #require(json["tokens"] as? Int)
        let loss = try #require(json["negative_log_likelihood"] as? Double)
        #expect(perplexity > 1 && abs(exp(loss / Double(tokens)) / perplexity - 1) < 1e-9)
        let all = try Command.run(["tokenize", "--file", file, "--json"] + Command.model).json()
        let count = try #require((all["tokens"] as? [Int])?.count)
        #expect(tokens == (more.contains("llama.cpp") ? (count - 1) / 16 * 7 : count - 1))
        // The same for people, from an argument and from standard input.
        let plain = try run(file, more)
        #expect(plain.code == 0 && plain.error == "")
        #expect(plain.text.contains(String(format: "%.4f", perplexity)) && plain.text.contains("\(tokens) tokens"))
        #expect(try Command.run(["perplexity", Self.text] + more + Command.model).text == plain.text)
        #expect(try Command.run(["perplexity"] + more + Command.model, input: Self.text).text == plain.text)
    }

    @Test func badTexts() throws {
        let texts: [(name: String, bytes: [UInt8], words: [String])] = [
            ("empty.txt", [], ["is empty", "two tokens"]), ("short.txt", [0x37], ["has 1 token", "at least 2"]),
            ("bad.txt", [0x61, 0xFF, 0x62], ["UTF-8"]),
        ]
        for (name, bytes, words) in texts {
            let result = try run(folder.write(name, bytes), ["--json"])
            #expect(result.code == 1 && result.text == "")
            for word in [name] + words { #expect(result.error.contains(word), "\(result.error)") }
        }
        let missing = try run("/nowhere/x.txt")
        #expect(missing.code == 1 && missing.error.contains("/nowhere/x.txt"))
        let short = try run(folder.write("line.txt", Self.text), ["--convention", "llama.cpp", "--window", "64"])
        #expect(short.code == 1 && short.error.contains("line.txt") && short.error.contains("at least 64"))
    }

    @Test func badWindows() throws {
        let file = folder.write("text.txt", Self.text)
        for wrong in [
            ["--window", "1"], ["--window", "0"], ["--window", "many"], ["--stride", "0"], ["--convention", "other"],
            ["--convention", "llama.cpp", "--stride", "3"],
        ] {
            let result = try run(file, wrong)
            #expect(result.code == 64 && result.text == "" && result.error.contains(wrong[wrong.count - 2]))
        }
        // What the model's context is, is known when it is open; the fixture's is 64.
        let long = try run(file, ["--window", "65"])
        #expect(long.code == 1 && long.text == "" && long.error.contains("65") && long.error.contains("64"))
        let far = try run(file, ["--window", "8", "--stride", "9"])
        #expect(far.code == 1 && far.text == "" && far.error.contains("stride is 9") && far.error.contains("1 to 8"))
    }

    /// Ctrl-C in the middle of a text that takes minutes: the figure so far is printed, and it says so.
    @Test func interrupted() throws {
        let file = folder.write("long.txt", String(repeating: Self.text, count: 6000))
        // How long it takes to the first tokens depends on who else is busy.
        for delay in [1.0, 4, 16] {
            let process = Process()
            process.executableURL = Command.executable
            process.arguments =
                ["perplexity", "--file", file, "--window", "64", "--stride", "1", "--json"] + Command.model
            let (out, error) = (Pipe(), Pipe())
            (process.standardOutput, process.standardError) = (out, error)
            try process.run()
            Thread.sleep(forTimeInterval: delay)
            process.interrupt()
            // Not for ever, should it not hear of it.
            let id = process.processIdentifier
            let watchdog = DispatchWorkItem { kill(id, SIGKILL) }
            DispatchQueue.global().asyncAfter(deadline: .now() + 60, execute: watchdog)
            defer { watchdog.cancel() }
            let output = out.fileHandleForReading.readDataToEndOfFile()
            let message = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            try #require(process.terminationStatus != SIGKILL, "it did not hear of the interruption")
            if output.isEmpty { continue }
            #expect(process.terminationStatus == 1)
            let json = try #require(try JSONSerialization.jsonObject(with: output) as? [String: Any])
            let tokens = try #require(json["tokens"] as? Int)
            #expect(tokens > 0 && message.contains("Interrupted") && message.contains("first \(tokens) of "))
            return
        }
        Issue.record("no token was scored in sixteen seconds")
    }
}
