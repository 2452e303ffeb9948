import TinyLoader
import TinyModels
import TinyTokenizer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

enum GGUFTarget: Target {
    static func run(_ input: Input) throws {
        let path = Folder.shared.write("model.gguf", input.bytes)
        let checkpoint = try Checkpoint(path: path)
        inspect(checkpoint)
        guard case .gguf(let gguf) = checkpoint.format else { return }
        try use(Tokenizer(gguf: gguf), input.tail)
    }
}

enum SafetensorsTarget: Target {
    static let jsonFrame: JSONFrame? = .behindLength

    static func run(_ input: Input) throws {
        inspect(try Checkpoint(path: Folder.shared.write("model.safetensors", input.bytes)))
    }
}

/// A `config.json` beside weights that have hardly a tensor.
enum ConfigTarget: Target {
    static let jsonFrame: JSONFrame? = .first

    static func run(_ input: Input) throws {
        _ = Folder.shared.write("config.json", input.bytes)
        inspect(try Checkpoint(path: Folder.shared.path))
    }
}

private func inspect(_ checkpoint: Checkpoint) {
    _ = Inspection(checkpoint: checkpoint)
    for tensor in checkpoint.index.tensors {
        // Both ends of what a tensor is said to be; the sanitizer and the system watch over what lies outside.
        if let first = tensor.bytes.first, let last = tensor.bytes.last { precondition(Int(first) + Int(last) >= 0) }
        _ = try? tensor.matrix()
        _ = try? tensor.joinedMatrix()
        if tensor.byteCount < 1 << 16 { _ = try? tensor.integers() }
    }
}

/// A model's folder of this process's own: the readers are given paths, as they are by users.
private struct Folder {
    static let shared = Folder()
    let path: String

    private init() {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array((parent + "/tinygpt-fuzz-XXXXXX").utf8CString)
        guard let made = mkdtemp(&template) else { fatalError("no folder for files can be made in \(parent)") }
        path = String(cString: made)
        let header = #"{"lm_head.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}"#
        var length = UInt64(header.utf8.count).littleEndian
        _ = write(
            "model.safetensors",
            withUnsafeBytes(of: &length, Array.init) + Array(header.utf8) + [UInt8](repeating: 0, count: 16))
        _ = write("config.json", Array(#"{"model_type":"gpt2"}"#.utf8))
        atexit {
            for name in ["model.safetensors", "config.json", "model.gguf"] { unlink(Folder.shared.path + "/" + name) }
            rmdir(Folder.shared.path)
        }
    }

    func write(_ name: String, _ bytes: [UInt8]) -> String {
        let file = fopen(path + "/" + name, "wb")
        guard let file, fwrite(bytes, 1, bytes.count, file) == bytes.count, fclose(file) == 0 else {
            fatalError("\(path)/\(name) cannot be written")
        }
        return path + "/" + name
    }
}
