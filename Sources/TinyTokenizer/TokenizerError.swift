/// Why a vocabulary or a tokenizer file cannot be used, or why tokens cannot be decoded.
public struct TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file as its reader named it.
    public let file: String
    /// Where in the file: `model.merges[3]`, `tokenizer.ggml.pre`.
    public let key: String
    public let found: String
    public let expected: String

    package init(file: String, key: String, found: String, expected: String) {
        self.file = file
        self.key = key
        self.found = found
        self.expected = expected
    }

    public var description: String { "\(file): \(key): found \(found), expected \(expected)" }
}

/// A text from a file between quotation marks, cut if it is long: messages are for people.
func quoted(_ text: String) -> String {
    let limit = 300
    var shown = ""
    for scalar in text.unicodeScalars.prefix(limit) {
        // Control characters would disturb a terminal; backslashes stay, since patterns are full of them.
        if scalar.value < 0x20 || scalar.value == 0x7F {
            shown += "\\u{" + String(scalar.value, radix: 16) + "}"
        } else {
            shown.unicodeScalars.append(scalar)
        }
    }
    return text.unicodeScalars.count > limit ? "\"\(shown)…\"" : "\"\(shown)\""
}
