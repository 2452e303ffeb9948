/// JSON that may stand inside a page's `<script>`, whatever texts it holds: `<`, `>`, `&` and the separators U+2028 and
/// U+2029 are written as escapes, so that nothing ends the element or begins a comment.
struct ScriptText {
    private(set) var text = ""

    mutating func write(_ string: String) {
        text.unicodeScalars.append("\"")
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "<", ">", "&", "\u{2028}", "\u{2029}", "\0"..."\u{1F}", "\u{7F}"..."\u{9F}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text.unicodeScalars.append("\"")
    }

    mutating func write(_ number: Int) { text += String(number) }

    /// With some digits behind the point, as many as a page shows; null for what is no number.
    mutating func write(_ number: Double, digits: Int) {
        guard number.isFinite else {
            text += "null"
            return
        }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let rounded = (number * scale).rounded() / scale
        text += rounded == rounded.rounded() && abs(rounded) < 1e15 ? String(Int(rounded)) : String(rounded)
    }

    mutating func write(_ flag: Bool) { text += flag ? "true" : "false" }

    mutating func writeNull() { text += "null" }

    mutating func list<Items: Sequence>(_ items: Items, _ write: (inout ScriptText, Items.Element) -> Void) {
        text += "["
        var isFirst = true
        for item in items {
            if !isFirst { text += "," }
            isFirst = false
            write(&self, item)
        }
        text += "]"
    }

    /// An object's members, each written by what stands beside its key.
    mutating func object(_ members: KeyValuePairs<String, (inout ScriptText) -> Void>) {
        text += "{"
        for (index, (key, write)) in members.enumerated() {
            if index > 0 { text += "," }
            self.write(key)
            text += ":"
            write(&self)
        }
        text += "}"
    }
}
