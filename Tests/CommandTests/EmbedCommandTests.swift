import Foundation
import Testing
import TinyTestSupport

@Suite("tinygpt embed")
struct EmbedCommandTests {
    private func embed(_ arguments: [String], input: String? = nil) throws -> CommandResult {
        try Command.run(["embed"] + Command.model + arguments, input: input)
    }

    @Test func vectorsAreNumbersOnALineOrOneObject() throws {
        let lines = try embed(["the cat", "a dog", "the cat"])
        #expect(lines.code == 0, "\(lines.error)")
        #expect(lines.error.contains("do not say how to pool"))
        let rows = lines.text.split(separator: "\n")
        #expect(rows.count == 3 && rows[0] == rows[2] && rows[0] != rows[1])
        let object = try embed(["--json", "--pooling", "mean", "the cat"])
        #expect(object.code == 0 && object.error.isEmpty)
        let vectors = try #require(try object.json()["embeddings"] as? [[Double]])
        #expect(vectors.count == 1 && abs(vectors[0].reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
    }

    @Test func similaritiesAreATableForPeople() throws {
        let result = try embed(["--similarity", "--pooling", "mean", "the cat", "猫坐在垫子上", "the cat"])
        #expect(result.code == 0, "\(result.error)")
        let lines = result.text.split(separator: "\n").map(String.init)
        #expect(lines.count == 4 && lines[1].hasPrefix("1  the cat") && lines[1].hasSuffix(" 1.000"))
        // Wide characters take two columns, so these lines have fewer characters and are as wide.
        #expect(lines[2].count == lines[1].count - 6)
        #expect(try embed(["--similarity"] + Array(repeating: "a", count: 101)).code == 1)
    }

    @Test func filesOfLinesAndOfObjects() throws {
        let folder = TemporaryFolder()
        let lines = folder.write("texts.txt", "the cat\r\na dog\nx")
        let tensor = folder.path + "/vectors.safetensors"
        let written = try embed(["--file", lines, "--output", tensor, "--pooling", "mean"])
        #expect(written.code == 0 && written.output.isEmpty, "\(written.error)")
        let bytes = readFile(tensor)
        let header = String(decoding: bytes[8..<200], as: UTF8.self)
        #expect(header.contains("\"shape\":[3,") && header.contains("\"F32\""))
        let objects = folder.write(
            "texts.jsonl", "{\"id\": 1.50, \"text\": \"the cat\"}\n\n{\"text\":\"a \\\"dog\\\"\", \"tags\": [\"x\"] }\n"
        )
        let target = folder.path + "/out.jsonl"
        let passed = try embed(["--file", objects, "--output", target, "--pooling", "mean"])
        #expect(passed.code == 0, "\(passed.error)")
        let output = String(decoding: readFile(target), as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(output.count == 2 && output[0].hasPrefix("{\"id\": 1.50, \"text\": \"the cat\",\"embedding\":["))
        for line in output {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(object?["embedding"] is [Double] && object?["text"] is String)
        }
        let piped = try embed(
            ["--file", "-", "--format", "jsonl", "--pooling", "mean"], input: "{\"text\": \"the cat\"}")
        let direct = try embed(["--pooling", "mean", "the cat"])
        #expect(piped.code == 0 && piped.text == direct.text)
        // Nothing is left over.
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
                == ["out.jsonl", "texts.jsonl", "texts.txt", "vectors.safetensors"])
    }

    @Test func badInputSaysWhereAndLeavesNoFile() throws {
        let folder = TemporaryFolder()
        let cases: [(bytes: [UInt8], name: String, message: String)] = [
            (Array("good\nbad ".utf8) + [0xFF, 0x0A], "a.txt", "line 2 is not valid UTF-8"),
            (Array("{\"text\": \"a\"}\n{\"text\": 1}\n".utf8), "b.jsonl", "line 2: the key \"text\" is a number"),
            (Array("{\"body\": \"a\"}\n".utf8), "c.jsonl", "line 1: the key \"text\" is not there"),
            (Array("[1]\n".utf8), "d.jsonl", "line 1 is an array, not an object"),
            (Array("{\"text\": \"a\"\n".utf8), "e.jsonl", "line 1 is not valid JSON at byte"),
            (Array("{\"text\": \"a\", \"embedding\": 1}\n".utf8), "f.jsonl", "line 1 has a key \"embedding\" already"),
        ]
        for (bytes, name, message) in cases {
            let path = folder.write(name, bytes)
            let result = try embed(["--file", path, "--output", folder.path + "/out.safetensors"])
            #expect(result.code == 1 && result.error.contains(message), "\(name): \(result.error)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.contains("out") })
        #expect(try embed(["--file", folder.path + "/none.txt"]).code == 1)
        #expect(try embed(["a", "--output", folder.path + "/none/x.txt"]).code == 1)
    }

    @Test func wrongUsage() throws {
        for arguments in [
            [], ["a", "--file", "x"], ["a", "--output", "x.bin"], ["a", "--pooling", "sum"], ["a", "--key", "x"],
            ["a", "--json", "--output", "x.txt"], ["a", "--prompt", "x", "--prompt-name", "y"],
        ] {
            #expect(try embed(arguments).code == 64, "\(arguments)")
        }
        let unknown = try embed(["a", "--prompt-name", "query"])
        #expect(unknown.code == 1 && unknown.error.contains("no prompt \"query\""))
    }
}
