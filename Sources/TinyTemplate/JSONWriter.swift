/// `tojson`, as Hugging Face has it: Python's `json.dumps` with its defaults, only that other scripts are not escaped.
struct JSONWriter {
    var escapesUnicode = false
    /// What one level is indented by; nil writes all on one line.
    var indent: Text?
    var itemSeparator = Text(", ")
    var keySeparator = Text(": ")
    var sortsKeys = false
    private(set) var result = Text()

    mutating func write(_ value: Value, level: Int = 0, for evaluator: Evaluator) throws(TemplateError) {
        try evaluator.enter()
        defer { evaluator.exit() }
        switch value {
        case .none: result += "null"
        case .bool(let value): result += value ? "true" : "false"
        case .int(let value): result += String(value)
        case .double(let value): result += value.jsonDescription
        case .text(let text): try write(text, for: evaluator)
        case .list(let list) where list.kind == .list || list.kind == .tuple:
            try writeItems(list.items.count, "[", "]", level, for: evaluator) { (writer, index) throws(TemplateError) in
                try writer.write(list.items[index], level: level + 1, for: evaluator)
            }
        case .map(let object): try write(object, level, for: evaluator)
        default: throw evaluator.fail(value, "\(value.kind) cannot be written as JSON")
        }
    }

    private mutating func write(_ object: Object, _ level: Int, for evaluator: Evaluator) throws(TemplateError) {
        var members: [(name: Text, value: Value)] = []
        for (key, value) in zip(object.keys, object.values) {
            members.append((try name(of: key, for: evaluator), value))
        }
        if sortsKeys {
            if object.keys.contains(where: { $0.asText == nil }), object.keys.contains(where: { $0.asText != nil }) {
                throw evaluator.fail("keys of different kinds cannot be sorted")
            }
            try evaluator.spend(members.count * 8)
            members.sort { $0.name < $1.name }
        }
        let sorted = members
        try writeItems(sorted.count, "{", "}", level, for: evaluator) { (writer, index) throws(TemplateError) in
            try writer.write(sorted[index].name, for: evaluator)
            writer.result += writer.keySeparator
            try writer.write(sorted[index].value, level: level + 1, for: evaluator)
        }
    }

    private func name(of key: Value, for evaluator: Evaluator) throws(TemplateError) -> Text {
        switch key {
        case .text(let text): return text
        case .none: return Text("null")
        case .bool(let value): return Text(value ? "true" : "false")
        case .int(let value): return Text(String(value))
        case .double(let value): return Text(value.jsonDescription)
        default: throw evaluator.fail("\(key.kind) cannot be a key in JSON")
        }
    }

    private mutating func writeItems(
        _ count: Int, _ open: String, _ close: String, _ level: Int, for evaluator: Evaluator,
        _ item: (inout JSONWriter, Int) throws(TemplateError) -> Void
    ) throws(TemplateError) {
        result += open
        for index in 0..<count {
            if index > 0 { result += itemSeparator }
            try breakLine(level + 1, for: evaluator)
            try item(&self, index)
        }
        if count > 0 { try breakLine(level, for: evaluator) }
        result += close
    }

    private mutating func breakLine(_ level: Int, for evaluator: Evaluator) throws(TemplateError) {
        guard let indent else { return }
        let (letters, overflow) = indent.count.multipliedReportingOverflow(by: level)
        try evaluator.charge(overflow ? .max : letters)
        result += "\n"
        for _ in 0..<level { result += indent }
    }

    private mutating func write(_ text: Text, for evaluator: Evaluator) throws(TemplateError) {
        try evaluator.charge(text.count)
        result += "\""
        for letter in text.letters {
            switch letter.scalar {
            case "\"": result.escape(letter, as: "\\\"")
            case "\\": result.escape(letter, as: "\\\\")
            case "\n": result.escape(letter, as: "\\n")
            case "\r": result.escape(letter, as: "\\r")
            case "\t": result.escape(letter, as: "\\t")
            case "\u{8}": result.escape(letter, as: "\\b")
            case "\u{C}": result.escape(letter, as: "\\f")
            default:
                if letter.code < 0x20 || (escapesUnicode && letter.code > 0x7E) {
                    for unit in String(letter.scalar).utf16 {
                        result.escape(letter, as: "\\u" + UInt32(unit).hexadecimal(digits: 4))
                    }
                } else {
                    result.letters.append(letter)
                }
            }
        }
        result += "\""
    }
}

extension Double {
    var jsonDescription: String {
        if isNaN { return "NaN" }
        if isInfinite { return self < 0 ? "-Infinity" : "Infinity" }
        return pythonDescription
    }
}
