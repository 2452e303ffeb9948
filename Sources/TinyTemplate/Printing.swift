/// How values read as text: `str` and `repr` of Python.
extension Evaluator {
    /// What `{{ value }}` prints.
    func text(of value: Value) throws(TemplateError) -> Text {
        switch value {
        case .text(let text): return text
        case .undefined: return Text()
        case .none: return Text("None")
        case .bool(let value): return Text(value ? "True" : "False")
        case .int(let value): return Text(String(value))
        case .double(let value): return Text(value.pythonDescription)
        default:
            var text = Text()
            try represent(value, in: &text)
            return text
        }
    }

    /// What a value looks like within a list or a mapping.
    func represent(_ value: Value, in text: inout Text) throws(TemplateError) {
        try enter()
        defer { exit() }
        switch value {
        case .text(let string): try represent(string, in: &text)
        case .undefined: text += "Undefined"
        case .list(let list): try represent(list, in: &text)
        case .map(let object): try represent(object, in: &text)
        case .namespace(let number):
            text += "<Namespace "
            try represent(namespaces[number], in: &text)
            text += ">"
        case .loop(let loop): text += "<LoopContext \(loop.index + 1)/\(loop.items.count)>"
        case .callable(.macro(let number)): text += "<Macro '\(macros[number].macro.name)'>"
        case .callable: throw fail("a function cannot be printed")
        case .none, .bool, .int, .double: text += try self.text(of: value)
        }
    }

    private func represent(_ list: List, in text: inout Text) throws(TemplateError) {
        let brackets: (String, String)
        switch list.kind {
        case .list: brackets = ("[", "]")
        case .tuple: brackets = ("(", list.items.count == 1 ? ",)" : ")")
        case .range, .view, .generator:
            throw fail("the result of a filter or of range() cannot be printed before it goes through 'list'")
        }
        text += brackets.0
        for (index, item) in list.items.enumerated() {
            if index > 0 { text += ", " }
            try represent(item, in: &text)
        }
        text += brackets.1
    }

    private func represent(_ object: Object, in text: inout Text) throws(TemplateError) {
        text += "{"
        for (index, (key, value)) in zip(object.keys, object.values).enumerated() {
            if index > 0 { text += ", " }
            try represent(key, in: &text)
            text += ": "
            try represent(value, in: &text)
        }
        text += "}"
    }

    /// A string in quotes: single ones, unless only single ones are inside.
    private func represent(_ string: Text, in text: inout Text) throws(TemplateError) {
        try charge(string.count)
        if string.isMarkup {
            text += "Markup("
            try represent(string.asMarkup(false), in: &text)
            text += ")"
            return
        }
        let quote: Unicode.Scalar =
            string.letters.contains { $0 == "'" } && !string.letters.contains { $0 == "\"" } ? "\"" : "'"
        text.letters.append(Letter(quote))
        for letter in string.letters {
            let scalar = letter.scalar
            switch scalar {
            case "\\", quote: text.escape(letter, as: "\\\(scalar)")
            case "\n": text.escape(letter, as: "\\n")
            case "\r": text.escape(letter, as: "\\r")
            case "\t": text.escape(letter, as: "\\t")
            default:
                if scalar.isPythonPrintable {
                    text.letters.append(letter)
                } else if letter.code <= 0xFF {
                    text.escape(letter, as: "\\x" + letter.code.hexadecimal(digits: 2))
                } else if letter.code <= 0xFFFF {
                    text.escape(letter, as: "\\u" + letter.code.hexadecimal(digits: 4))
                } else {
                    text.escape(letter, as: "\\U" + letter.code.hexadecimal(digits: 8))
                }
            }
        }
        text.letters.append(Letter(quote))
    }
}

extension Text {
    /// Adds letters that stand for `letter`, and have its origin.
    mutating func escape(_ letter: Letter, as replacement: String) {
        for scalar in replacement.unicodeScalars { letters.append(letter.replaced(by: scalar)) }
    }
}

extension UInt32 {
    func hexadecimal(digits: Int) -> String {
        let text = String(self, radix: 16)
        return String(repeating: "0", count: Swift.max(digits - text.utf8.count, 0)) + text
    }
}

extension Unicode.Scalar {
    /// Whether `repr` shows the character itself.
    var isPythonPrintable: Bool {
        if self == " " { return true }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }
}

extension Double {
    /// The shortest digits that read back as this number, laid out as Python's `repr` does: an exponent below 1e-4 and
    /// from 1e16 on.
    var pythonDescription: String {
        if isNaN { return "nan" }
        if isInfinite { return self < 0 ? "-inf" : "inf" }
        // Swift finds the same digits and only places the point differently: take them apart.
        let parts = magnitude.description.split(separator: "e")
        var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let fraction = mantissa.count > 1 && mantissa[1] != "0" ? String(mantissa[1]) : ""
        var digits = String(mantissa[0]) + fraction
        exponent += mantissa[0].utf8.count - 1
        while digits.utf8.count > 1, digits.hasPrefix("0") {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.utf8.count > 1, digits.hasSuffix("0") { digits.removeLast() }
        let sign = self.sign == .minus ? "-" : ""
        if self == 0 { return sign + "0.0" }
        if exponent < -4 || exponent >= 16 {
            let first = digits.removeFirst()
            let size = String(exponent.magnitude)
            let padded = size.utf8.count < 2 ? "0" + size : size
            return sign + String(first) + (digits.isEmpty ? "" : "." + digits) + "e" + (exponent < 0 ? "-" : "+")
                + padded
        }
        if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
        let missing = exponent + 1 - digits.utf8.count
        if missing >= 0 { return sign + digits + String(repeating: "0", count: missing) + ".0" }
        let point = digits.index(digits.startIndex, offsetBy: exponent + 1)
        return sign + digits[..<point] + "." + digits[point...]
    }
}
