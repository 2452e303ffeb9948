/// Methods of strings.
extension Evaluator {
    func call(method name: String, of text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        switch name {
        case "split", "rsplit", "splitlines", "partition", "rpartition": return try split(text, name, arguments)
        case "find", "rfind", "index", "rindex", "count": return try search(text, name, arguments)
        case "startswith", "endswith": return try borders(text, name, arguments)
        case "format": return .text(try formatted(text, arguments))
        case "strip", "lstrip", "rstrip":
            let bound = try bind(unnamed(arguments, "method '\(name)'"), ["chars"], "method '\(name)'")
            return .text(text.stripped(of: try self.text(bound, 0), left: name != "rstrip", right: name != "lstrip"))
        case "replace", "join", "removeprefix", "removesuffix": return .text(try edited(text, name, arguments))
        case "expandtabs": return .text(try tabsExpanded(text, arguments))
        case "center", "ljust", "rjust", "zfill": return .text(try padded(text, name, arguments))
        default: return try plain(text, name, arguments)
        }
    }

    /// The methods without arguments.
    private func plain(_ text: Text, _ name: String, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let result: Value
        switch name {
        case "upper": result = .text(text.uppercased)
        case "lower": result = .text(text.lowercased)
        case "casefold": result = .text(text.casefolded)
        case "title": result = .text(text.titled)
        case "capitalize": result = .text(text.capitalized)
        case "swapcase": result = .text(text.swappedCase)
        case "isalpha": result = .bool(text.all(\.isPythonAlphabetic))
        case "isdecimal": result = .bool(text.all(\.isPythonDecimal))
        case "isdigit": result = .bool(text.all(\.isPythonDigit))
        case "isnumeric": result = .bool(text.all(\.isPythonNumeric))
        case "isalnum": result = .bool(text.all { $0.isPythonAlphabetic || $0.isPythonNumeric })
        case "isspace": result = .bool(text.all(\.isPythonSpace))
        case "isascii": result = .bool(text.isEmpty || text.all(\.isASCII))
        case "isprintable": result = .bool(text.isEmpty || text.all(\.isPythonPrintable))
        case "isidentifier": result = .bool(text.isIdentifier)
        case "isupper": result = .bool(text.isUppercase)
        case "islower": result = .bool(text.isLowercase)
        case "istitle": result = .bool(text.isTitled)
        default: throw fail(unsupported: "method", name)
        }
        _ = try bind(arguments, [], "method '\(name)'")
        return result
    }

    private func split(_ text: Text, _ name: String, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let owner = "method '\(name)'"
        let parts: [Text]
        switch name {
        case "splitlines":
            parts = text.lines(keepingEnds: try bind(arguments, ["keepends"], owner)[0]?.isTrue ?? false)
        case "partition", "rpartition":
            let separator = try requiredText(bind(unnamed(arguments, owner), ["sep"], required: 1, owner), 0)
            return try partition(text, separator, fromEnd: name == "rpartition")
        default:
            let bound = try bind(arguments, ["sep", "maxsplit"], owner)
            let limit = try integer(bound, 1).map { $0 < 0 ? .max : $0 } ?? .max
            let separator = try self.text(bound, 0)
            if separator?.isEmpty == true { throw fail("\(owner) needs a separator that is not empty") }
            func cut(_ text: Text, _ separator: Text?) -> [Text] {
                separator.map { text.split(by: $0, limit: limit) } ?? text.splitAtSpace(limit: limit)
            }
            // From the right is from the left in the mirror.
            parts =
                name == "split" || limit == .max
                ? cut(text, separator)
                : cut(text.reversed(), separator?.reversed()).reversed().map { $0.reversed() }
        }
        try spend(parts.count)
        return .list(List(parts.map(Value.text)))
    }

    private func partition(_ text: Text, _ separator: Text, fromEnd: Bool) throws(TemplateError) -> Value {
        if separator.isEmpty { throw fail("a separator must not be empty") }
        let parts: [Text]
        if let position = position(of: separator, in: text, fromEnd: fromEnd) {
            let end = position + separator.count
            parts = [Text(text.letters[..<position]), Text(text.letters[position..<end]), Text(text.letters[end...])]
        } else {
            parts = fromEnd ? [Text(), Text(), text] : [text, Text(), Text()]
        }
        return .list(List(parts.map(Value.text), .tuple))
    }

    private func position(of needle: Text, in text: Text, fromEnd: Bool) -> Int? {
        if needle.isEmpty { return fromEnd ? text.count : 0 }
        guard fromEnd else { return text.positions(of: needle, limit: 1).first }
        return text.reversed().positions(of: needle.reversed(), limit: 1).first.map { text.count - $0 - needle.count }
    }

    private func search(_ text: Text, _ name: String, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let owner = "method '\(name)'"
        let bound = try bind(unnamed(arguments, owner), ["sub", "start", "end"], required: 1, owner)
        let needle = try requiredText(bound, 0)
        let (part, start) = try window(text, bound)
        // A start beyond the end finds nothing, not even nothing.
        let isOutside = start > text.count
        if name == "count" {
            if needle.isEmpty { return .int(isOutside ? 0 : part.count + 1) }
            return .int(part.positions(of: needle).count)
        }
        let position = isOutside ? nil : position(of: needle, in: part, fromEnd: name.hasPrefix("r"))
        if position == nil, name.hasSuffix("index") { throw fail("\(owner) did not find the string") }
        return .int(position.map { $0 + start } ?? -1)
    }

    /// The part of the text between the second and third argument, and where it starts.
    private func window(_ text: Text, _ bound: BoundArguments) throws(TemplateError) -> (part: Text, start: Int) {
        let start = try integer(bound, 1)
        let stop = try integer(bound, 2)
        if start == nil, stop == nil { return (text, 0) }
        let first = start.map { $0 < 0 ? max($0.addingReportingOverflow(text.count).partialValue, 0) : $0 } ?? 0
        return (Text(text.letters.python(from: start, to: stop, by: 1)), first)
    }

    private func borders(_ text: Text, _ name: String, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let owner = "method '\(name)'"
        let bound = try bind(unnamed(arguments, owner), ["prefix", "start", "end"], required: 1, owner)
        let (part, start) = try window(text, bound)
        if start > text.count { return .bool(false) }
        var candidates = [bound.value(0)]
        if case .list(let list) = candidates[0], list.kind == .tuple { candidates = list.items }
        for candidate in candidates {
            guard case .text(let border) = candidate else {
                throw fail(candidate, "\(owner) needs a string or a tuple of strings, not \(candidate.kind)")
            }
            if name == "startswith" ? part.hasPrefix(border) : part.hasSuffix(border) { return .bool(true) }
        }
        return .bool(false)
    }

    private func edited(_ text: Text, _ name: String, _ arguments: CallArguments) throws(TemplateError) -> Text {
        let owner = "method '\(name)'"
        switch name {
        case "replace":
            let bound = try bind(unnamed(arguments, owner), ["old", "new", "count"], required: 2, owner)
            let (old, new) = (try requiredText(bound, 0), try requiredText(bound, 1))
            return try replaced(text, old, text.isMarkup ? escaped(new) : new, limit: integer(bound, 2))
        case "join":
            let bound = try bind(unnamed(arguments, owner), ["iterable"], required: 1, owner)
            var result = Text()
            for (index, item) in try items(of: bound.value(0)).enumerated() {
                guard case .text(let part) = item else { throw fail(item, "\(owner) needs strings, not \(item.kind)") }
                try charge(part.count + text.count)
                if index > 0 { result += text }
                result += text.isMarkup ? escaped(part) : part
            }
            return result
        default:
            let border = try requiredText(bind(unnamed(arguments, owner), ["affix"], required: 1, owner), 0)
            if name == "removeprefix" {
                return text.hasPrefix(border) ? Text(text.letters.dropFirst(border.count)) : text
            }
            return text.hasSuffix(border) ? Text(text.letters.dropLast(border.count)) : text
        }
    }

    private func tabsExpanded(_ text: Text, _ arguments: CallArguments) throws(TemplateError) -> Text {
        let size = try integer(bind(arguments, ["tabsize"], "method 'expandtabs'"), 0) ?? 8
        var result = Text()
        var column = 0
        for letter in text.letters {
            if letter == "\t" {
                let width = size > 0 ? size - column % size : 0
                result += try spaces(width)
                column += width
            } else {
                result.letters.append(letter)
                column = letter == "\n" || letter == "\r" ? 0 : column + 1
            }
        }
        return result
    }

    private func padded(_ text: Text, _ name: String, _ arguments: CallArguments) throws(TemplateError) -> Text {
        let owner = "method '\(name)'"
        let bound = try bind(
            unnamed(arguments, owner), name == "zfill" ? ["width"] : ["width", "fillchar"], required: 1, owner)
        let width = try integer(bound, 0) ?? 0
        let fill = name == "zfill" ? Text("0") : try self.text(bound, 1) ?? Text(" ")
        if fill.count != 1 { throw fail("\(owner) fills with one character") }
        let missing = max(width, text.count) - text.count
        try charge(missing)
        func filling(_ count: Int) -> Text { Text(Array(repeating: fill.letters[0], count: count)) }
        switch name {
        case "ljust": return text + filling(missing)
        case "rjust": return filling(missing) + text
        case "zfill":
            let isSigned = text.letters.first.map { $0 == "-" || $0 == "+" } ?? false
            let sign = isSigned ? 1 : 0
            return Text(text.letters[..<sign]) + filling(missing) + Text(text.letters[sign...])
        default:
            // Where the halves differ, the left one is longer if the width is odd: so Python does.
            let left = missing / 2 + (missing & width & 1)
            return filling(left) + text + filling(missing - left)
        }
    }
}
