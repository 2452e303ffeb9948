import Foundation
import Testing
import TinyTestSupport

@Suite("tinygpt profile and bench")
struct ProfileCommandTests {
    static let small = [
        "--prompt-tokens", "20", "--generate-tokens", "6", "--repetitions", "1", "--model", Command.gguf, "--threads",
        "2",
    ]

    @Test func profile() throws {
        let folder = TemporaryFolder()
        let (trace, plot) = (folder.path + "/trace.json", folder.path + "/roofline.svg")
        let result = try Command.run(["profile", "--json", "--trace", trace, "--plot", plot] + Self.small)
        let json = try result.json()
        let limits = try #require(json["limits"] as? [String: Any])
        for key in ["read_bytes_per_second", "flops_per_second"] { #expect(limits[key] as? Double ?? 0 > 1e6) }
        for (name, tokens) in [("prompt", 20), ("decode", 6)] {
            let section = try #require(json[name] as? [String: Any])
            let (wall, rest) = (
                section["wall_seconds"] as? Double ?? 0, section["unexplained_seconds"] as? Double ?? -1
            )
            let kernels = try #require(section["kernels"] as? [[String: Any]])
            let sum = kernels.reduce(rest) { $0 + ($1["seconds"] as? Double ?? .nan) }
            #expect(wall > 0 && rest >= 0 && abs(sum - wall) < 1e-6 * wall && section["tokens"] as? Int == tokens)
            for kernel in kernels {
                #expect(Set(["name", "calls", "seconds", "bytes", "flops"]).isSubset(of: kernel.keys))
            }
            let names = Set(kernels.compactMap { $0["name"] as? String })
            #expect(names.isSuperset(of: ["norm", "rotation", "attention scores", "sampling"]))
            // In prompts it may be a part of a product.
            #expect(names.contains("activation") || name == "prompt")
            #expect((section["layers"] as? [Any])?.count == 4 && (section["threads"] as? [Any])?.count == 2)
            #expect((section["overhead"] as? [String: Any])?["share"] is Double)
        }
        let events = try #require(
            (JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: trace))) as? [String: Any])?[
                "traceEvents"] as? [[String: Any]])
        #expect(events.contains { $0["ph"] as? String == "X" && $0["name"] as? String == "layer 2" })
        let picture = try String(contentsOfFile: plot, encoding: .utf8)
        #expect(
            picture.hasPrefix("<svg") && picture.contains("prefers-color-scheme: dark") && !picture.contains("href"))
        #expect(XMLCheck.isWellFormed(picture))
    }

    @Test func profileOfAText() throws {
        let result = try Command.run(
            ["profile", "once upon a time", "--layers", "--per-thread", "--generate-tokens", "2", "--repetitions", "1"]
                + Command.model)
        for word in ["tokenizer", "unexplained", "wall", "GB/s", "outside", "thread", "Profiling took"] {
            #expect(result.text.contains(word), "\(word): \(result.text) \(result.error)")
        }
    }

    @Test func profileRefuses() throws {
        func code(_ arguments: [String]) throws -> Int32 { try Command.run(["profile"] + arguments).code }
        #expect(try code(Command.model + ["--prompt-tokens", "0"]) == 64)
        #expect(try code(Command.model + ["--repetitions", "0"]) == 64)
        #expect(try code(Command.model + ["a text", "--prompt-tokens", "3"]) == 64)
        let nowhere = try Command.run(["profile", "--plot", "/nowhere/a.svg"] + Self.small)
        #expect(nowhere.code == 1 && nowhere.error.contains("/nowhere/a.svg"))
        // Sixty-four positions, of which the prompt takes all.
        let long = try Command.run(["profile", "--prompt-tokens", "64", "--generate-tokens", "1"] + Command.model)
        #expect(long.code == 1 && long.error.contains("65"))
        let encoder = try Command.run([
            "profile", "--prompt-tokens", "4", "--generate-tokens", "0", "--model", Fixtures.path("bert-model"),
        ])
        #expect(encoder.code == 1 && encoder.error.contains("encoder"))
    }

    @Test func benchOfLists() throws {
        let json = try Command.run(
            [
                "bench", "--json", "--prompt-tokens", "4,8", "--generate-tokens", "3", "--depths", "0,10",
                "--repetitions",
                "2", "--cold-starts", "1",
            ] + Command.model
        ).json()
        let results = try #require(json["results"] as? [[String: Any]])
        #expect(results.map { $0["test"] as? String } == ["prompt", "prompt", "decode", "decode"])
        #expect(results.map { $0["tokens"] as? Int } == [4, 8, 3, 3])
        #expect(results.map { $0["depth"] as? Int } == [0, 0, 0, 10])
        for result in results {
            let noise = try #require(result["noise"] as? [String: Any])
            #expect((noise["complaints"] as? [Any])?.isEmpty == (noise["believable"] as? Bool))
        }
        let start = try #require(json["cold_start"] as? [String: Any])
        let seconds = try #require(start["first_token_seconds"] as? [String: Double])
        #expect(seconds["median"] ?? 0 > 0 && start["prompt_tokens"] as? Int == 16)
        for bad in [["--prompt-tokens", "4,"], ["--depths", "-1"], ["--json", "--markdown"], ["--sweep", "cores"]] {
            #expect(try Command.run(["bench"] + bad + Command.model).code == 64, "\(bad)")
        }
    }

    @Test func sweeps() throws {
        let short = [
            "bench", "--prompt-tokens", "4", "--generate-tokens", "0", "--repetitions", "1", "--cold-starts", "0",
        ]
        let json = try Command.run(short + ["--json", "--sweep", "isa"] + Command.model).json()
        let runs = try #require(json["runs"] as? [[String: Any]])
        let sets = runs.compactMap { $0["isa"] as? String }
        #expect(sets.first == "plain" && Set(sets).count == sets.count && json["isa"] as? String == sets.last)
        #expect((json["results"] as? [[String: Any]])?.compactMap { $0["isa"] as? String } == sets)
        let table = try Command.run(short + ["--markdown", "--sweep", "threads", "--model", Command.gguf])
        #expect(table.text.contains("| prompt | 4 | 0 |") && table.text.contains("|---|"))
        // What a run in between says goes on to whoever asked.
        let failed = try Command.run(short + ["--sweep", "threads", "--model", "/nowhere.gguf"])
        #expect(failed.code == 1 && failed.error.contains("/nowhere.gguf"))
    }
}

/// Whether every element that begins ends too.
private enum XMLCheck {
    static func isWellFormed(_ text: String) -> Bool {
        var open: [Substring] = []
        for part in text.split(separator: "<").dropFirst(text.hasPrefix("<") ? 0 : 1) {
            guard let end = part.firstIndex(of: ">") else { return false }
            let tag = part[..<end]
            if tag.hasSuffix("/") { continue }
            if tag.hasPrefix("/") {
                if open.popLast() != tag.dropFirst() { return false }
            } else {
                open.append(tag.prefix { $0 != " " })
            }
        }
        return open.isEmpty
    }
}
