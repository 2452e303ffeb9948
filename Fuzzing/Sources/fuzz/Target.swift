/// A reader that is given spoiled files.
protocol Target: Sendable {
    static func run(_ input: Input) throws
    /// Where there is JSON in an input.
    static var jsonFrame: JSONFrame? { get }
}

extension Target {
    static var jsonFrame: JSONFrame? { nil }
}

/// By name; each has a folder of the same name in Corpus.
let targets: [String: any (Target & Sendable).Type] = [
    "json": JSONTarget.self, "tokenizer-json": TokenizerJSONTarget.self, "sentencepiece": SentencePieceTarget.self,
    "ranks": RanksTarget.self, "template": TemplateTarget.self, "gguf": GGUFTarget.self,
    "safetensors": SafetensorsTarget.self, "config": ConfigTarget.self,
]

/// What the fuzzer made: a file, and behind a NUL byte a text to try it on. A file that holds such bytes itself is whole,
/// and its last bytes are the text.
struct Input {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The part up to the first NUL, and the text behind it.
    var split: (file: [UInt8], text: String) {
        guard let end = bytes.firstIndex(of: 0) else { return (bytes, tail) }
        return (Array(bytes[..<end]), String(decoding: bytes[(end + 1)...], as: UTF8.self))
    }

    var tail: String { String(decoding: bytes.suffix(64), as: UTF8.self) }
}
