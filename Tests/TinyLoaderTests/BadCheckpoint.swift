import Testing
import TinyLoader
import TinyTestSupport

/// Folders and paths that hold no model we can use.
struct BadCheckpoint: Sendable, CustomTestStringConvertible {
    let label: String
    let kinds: Set<FormatError.Kind>
    /// The file that the error must name, inside the folder; the folder itself if empty.
    let file: String
    let subject: String?
    /// What is opened, inside the folder.
    let opened: String
    let fill: @Sendable (TemporaryFolder) -> Void

    init(
        _ label: String, _ kinds: Set<FormatError.Kind>, file: String = "", subject: String? = nil, open: String = "",
        fill: @escaping @Sendable (TemporaryFolder) -> Void
    ) {
        self.label = label
        self.kinds = kinds
        self.file = file
        self.subject = subject
        self.opened = open
        self.fill = fill
    }

    var testDescription: String { label }

    static let list = "model.safetensors.index.json"

    /// A shard with one float of this name.
    static func shard(_ name: String) -> [UInt8] {
        var file = SafetensorsBytes()
        file.add(name, [1], floats: [1])
        return file.written()
    }

    /// A folder whose list maps `a` to `file`; a shard `one.safetensors` with `a` is there.
    private static func listed(
        _ label: String, _ map: String, _ kinds: Set<FormatError.Kind>, file: String = list, subject: String? = nil,
        also: @escaping @Sendable (TemporaryFolder) -> Void = { _ in }
    ) -> BadCheckpoint {
        BadCheckpoint(label, kinds, file: file, subject: subject) { folder in
            folder.write("config.json", "{}")
            folder.write("one.safetensors", shard("a"))
            folder.write(list, map)
            also(folder)
        }
    }

    private static func mapping(_ name: String, to file: String) -> String {
        "{\"weight_map\":{\"\(name)\":\"\(file)\"}}"
    }

    static let all: [BadCheckpoint] = paths + folders + lists

    private static let paths: [BadCheckpoint] = [
        BadCheckpoint("a path that is not there", [.unreadable], file: "nothing", open: "nothing") { _ in },
        BadCheckpoint("a file used as a folder", [.unreadable], file: "x/y", open: "x/y") { $0.write("x", "") },
        BadCheckpoint("an empty file", [.unknownFormat], file: "x", open: "x") { $0.write("x", "") },
        BadCheckpoint("a text", [.unknownFormat], file: "x", open: "x") { $0.write("x", "once upon a time") },
        BadCheckpoint("a pickle", [.unknownFormat], file: "x.bin", open: "x.bin") {
            $0.write("x.bin", [0x80, 2, 0x7D, 0x71, 0, 0x2E])
        },
        BadCheckpoint("a zip archive", [.unknownFormat], file: "x.pt", open: "x.pt") {
            $0.write("x.pt", "PK\u{3}\u{4}0123456789")
        },
        BadCheckpoint("three bytes of a GGUF", [.unknownFormat], file: "x", open: "x") { $0.write("x", "GGU") },
        BadCheckpoint("four bytes of a GGUF", [.truncated], file: "x", open: "x") { $0.write("x", "GGUF") },
        BadCheckpoint("safetensors without config.json", [.missing], file: "config.json", open: "x") {
            $0.write("x", shard("a"))
        },
    ]

    private static let folders: [BadCheckpoint] = [
        BadCheckpoint("an empty folder", [.missing]) { _ in },
        BadCheckpoint("a folder of texts", [.missing]) { $0.write("README.md", "hello") },
        BadCheckpoint("only a .bin", [.missing]) { $0.write("pytorch_model.bin", "x") },
        BadCheckpoint("two GGUF files", [.unknownFormat]) { folder in
            folder.write("a.gguf", "GGUF")
            folder.write("b.gguf", "GGUF")
        },
        BadCheckpoint("two safetensors files", [.unknownFormat]) { folder in
            folder.write("a.safetensors", shard("a"))
            folder.write("b.safetensors", shard("b"))
        },
        BadCheckpoint("two lists of shards", [.unknownFormat]) { folder in
            folder.write("config.json", "{}")
            folder.write("one.safetensors", shard("a"))
            folder.write("first.safetensors.index.json", mapping("a", to: "one.safetensors"))
            folder.write("second.safetensors.index.json", mapping("a", to: "one.safetensors"))
        },
        BadCheckpoint("a folder named model.safetensors", [.unreadable], file: "model.safetensors") {
            $0.makeFolder("model.safetensors")
        },
        BadCheckpoint("no config.json", [.missing], file: "config.json") { $0.write("model.safetensors", shard("a")) },
        BadCheckpoint("config.json is a folder", [.unreadable], file: "config.json") { folder in
            folder.write("model.safetensors", shard("a"))
            folder.makeFolder("config.json")
        },
        BadCheckpoint("config.json is empty", [.malformed], file: "config.json") { folder in
            folder.write("model.safetensors", shard("a"))
            folder.write("config.json", "")
        },
        BadCheckpoint("config.json is no JSON", [.malformed], file: "config.json") { folder in
            folder.write("model.safetensors", shard("a"))
            folder.write("config.json", "{'a': 1}")
        },
        BadCheckpoint("config.json is an array", [.malformed], file: "config.json") { folder in
            folder.write("model.safetensors", shard("a"))
            folder.write("config.json", "[]")
        },
        BadCheckpoint("config.json has a key twice", [.malformed, .duplicate], file: "config.json") { folder in
            folder.write("model.safetensors", shard("a"))
            folder.write("config.json", "{\"a\":1,\"a\":2}")
        },
        BadCheckpoint("config.json above its limit", [.outOfRange], file: "config.json") { folder in
            folder.write("model.safetensors", shard("a"))
            folder.write("config.json", "{}")
            folder.extend("config.json", to: 17 << 20)
        },
    ]

    private static let lists: [BadCheckpoint] = [
        listed("a list that is no JSON", "weight_map", [.malformed]),
        listed("a list that is an array", "[]", [.missing, .malformed]),
        listed("a list without weight_map", "{}", [.missing], subject: "weight_map"),
        listed("a weight_map that is an array", "{\"weight_map\":[]}", [.missing, .malformed], subject: "weight_map"),
        listed("a shard's name that is a number", "{\"weight_map\":{\"a\":1}}", [.malformed], subject: "a"),
        listed(
            "a tensor listed twice", "{\"weight_map\":{\"a\":\"one.safetensors\",\"a\":\"one.safetensors\"}}",
            [.malformed, .duplicate]),
        listed("a missing shard", mapping("a", to: "two.safetensors"), [.unreadable], file: "two.safetensors"),
        listed("an empty name of a shard", mapping("a", to: ""), [.malformed], subject: "a"),
        listed("a shard above the folder", mapping("a", to: "../one.safetensors"), [.malformed], subject: "a"),
        listed("a shard in a folder", mapping("a", to: "x/one.safetensors"), [.malformed], subject: "a"),
        listed("a shard at an absolute path", mapping("a", to: "/one.safetensors"), [.malformed], subject: "a"),
        listed("a shard named ..", mapping("a", to: ".."), [.malformed], subject: "a"),
        listed("a shard named .", mapping("a", to: "."), [.malformed, .unreadable]),
        // Swift takes a slash with an accent for one character that is no slash; the system does not.
        listed("a slash under an accent", mapping("a", to: "../\\u0301"), [.malformed], subject: "a"),
        listed("a NUL in a name", mapping("a", to: "one.safetensors\\u0000"), [.malformed], subject: "a"),
        listed("a name that clears the terminal", mapping("a", to: "\\u001b[2J"), [.malformed], subject: "a"),
        listed("a name with a control character of Latin-1", mapping("a", to: "\\u009b2J"), [.malformed], subject: "a"),
        listed(
            "a tensor that is not in its shard", mapping("b", to: "one.safetensors"), [.missing],
            file: "one.safetensors", subject: "b"),
        listed("a bad shard", mapping("a", to: "two.safetensors"), [.malformed], file: "two.safetensors") { folder in
            folder.write("two.safetensors", SafetensorsBytes.file(header: "[]"))
        },
        listed("a cut shard", mapping("a", to: "two.safetensors"), [.outOfRange], file: "two.safetensors") { folder in
            folder.write("two.safetensors", Array(shard("a").dropLast()))
        },
    ]
}
