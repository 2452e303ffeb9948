import Foundation
import Testing
import TinyTestSupport

@Suite("The command verify: two models, and sums")
struct VerifyModelsTests {
    private let folder = TemporaryFolder()
    private static let text = "The quick brown 狐狸 jumps over 13 lazy dogs."
    private static let quantized = ["--model", Command.gguf, "--threads", "1"]

    private func against(_ more: [String] = [], input: String? = nil) throws -> CommandResult {
        try Command.run(["verify", "--against", Command.llama] + Self.quantized + more, input: input)
    }

    @Test func againstAnother() throws {
        let result = try against([Self.text, "--json"])
        #expect(result.code == 0 && result.error == "")
        let json = try result.json()
        #expect(
            Set(json.keys) == [
                "tokens", "rows", "layers", "argmax_agreement", "max_abs_diff", "mean_abs_diff", "max_abs_reference",
                "first_bad_row", "kl_divergence", "perplexity",
            ])
        let layers = try #require(json["layers"] as? [[String: Any]])
        let errors = layers.compactMap { $0["relative_error"] as? Double }
        #expect(layers.map { $0["layer"] as? Int } == [0, 1, 2, 3] && errors.count == 4)
        #expect(errors.allSatisfy { (0.01...1).contains($0) })
        let divergence = try #require(json["kl_divergence"] as? [String: Double])
        let (mean, most) = (try #require(divergence["mean"]), try #require(divergence["max"]))
        #expect(mean > 0 && mean < most)
        let plain = try against([Self.text])
        #expect(plain.code == 0 && plain.text.contains("same first choice") && plain.text.contains("divergence"))
        #expect(try against(input: Self.text).text == plain.text)
        #expect(try against(["--file", folder.write("text.txt", Self.text)]).text == plain.text)
    }

    @Test func toleranceJudges() throws {
        let bad = try against([Self.text, "--tolerance", "0.01", "--json"])
        #expect(try bad.code == 1 && bad.json()["passed"] as? Bool == false)
        let itself = ["verify", "--against", Command.llama, "--tolerance", "0", Self.text] + Command.model
        let good = try Command.run(itself + ["--json"])
        #expect(try good.code == 0 && good.json()["passed"] as? Bool == true)
        #expect(try Command.run(itself).text.contains("holds at a tolerance"))
    }

    @Test func wrongUsage() throws {
        let reference = Command.llama + "/reference.safetensors"
        for wrong in [
            ["--against", Command.llama, "--reference", reference], ["--sums", "--reference", reference],
            ["--reference", reference, "text"], ["--reference", reference, "--window", "4"], ["--sums", "text"],
            ["--sums", "--tolerance", "1"], ["--against", Command.llama, "text", "--window", "0"],
        ] {
            let result = try Command.run(["verify"] + wrong + Command.model)
            #expect(result.code == 64 && result.text == "" && result.error.contains("--"), "\(wrong)")
        }
        let empty = try against([""])
        #expect(empty.code == 1 && empty.error.contains("is empty"))
        let nowhere = try Command.run(["verify", "--against", "/nowhere/model", "text"] + Command.model)
        #expect(nowhere.code == 1 && nowhere.error.contains("/nowhere/model"))
    }

    /// The digest of "abc" is the standard's own example (FIPS 180-4), the other one that of nothing.
    @Test func sums() throws {
        func header(_ names: [String]) -> [UInt8] {
            let places = [
                "a": #"{"dtype":"U8","shape":[3],"data_offsets":[0,3]}"#,
                "b": #"{"dtype":"F32","shape":[0,2],"data_offsets":[3,3]}"#,
            ]
            let text = "{" + names.map { "\"\($0)\":\(places[$0]!)" }.joined(separator: ",") + "}"
            let padded = text + String(repeating: " ", count: (8 - text.utf8.count % 8) % 8)
            return (0..<8).map { UInt8(truncatingIfNeeded: padded.utf8.count >> (8 * $0)) } + Array(padded.utf8)
        }
        folder.write("config.json", "{}")
        let file = folder.write("model.safetensors", header(["a", "b"]) + Array("abc".utf8))
        let json = try Command.run(["verify", "--sums", "--json", "--model", file]).json()
        let tensors = try #require(json["tensors"] as? [[String: Any]])
        #expect(
            tensors.compactMap { $0["sha256"] as? String } == [
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ])
        #expect(tensors.map { $0["name"] as? String } == ["a", "b"] && json["bytes"] as? Int == 3)
        // The order in the file does not matter to the sum of all, and a changed byte does.
        let turned = folder.write("turned.safetensors", header(["b", "a"]) + Array("abc".utf8))
        let changed = folder.write("changed.safetensors", header(["a", "b"]) + Array("abd".utf8))
        let sum = try #require(json["sha256"] as? String)
        #expect(try Command.run(["verify", "--sums", "--json", "--model", turned]).json()["sha256"] as? String == sum)
        #expect(try Command.run(["verify", "--sums", "--json", "--model", changed]).json()["sha256"] as? String != sum)
        #expect(try Command.run(["verify", "--sums", "--model", file]).text.contains("\(sum)  all 2 tensors"))
    }
}
