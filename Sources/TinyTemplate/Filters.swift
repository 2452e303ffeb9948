/// The filters that templates may use; anything else is refused by name when the template is read.
enum Filter: String, Sendable {
    case abs, attr, capitalize, count, d, `default`, dictsort, e, escape, first, float, format, indent, int, items,
        join,
        last, length, list, lower, map, max, min, reject, rejectattr, replace, reverse, round, safe, select, selectattr,
        sort, string, sum, title, tojson, trim, unique, upper, wordcount
}

extension Evaluator {
    func apply(_ filter: Filter, to value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        try enter()
        defer { exit() }
        try charge(for: value)
        let result: Value
        switch filter {
        case .capitalize, .e, .escape, .format, .indent, .lower, .replace, .safe, .string, .title, .tojson, .trim,
            .upper,
            .wordcount:
            result = .text(try applyTextual(filter, value, arguments))
            if filter == .wordcount { return try wordCount(value) }
        case .abs, .float, .int, .round: result = try applyNumeric(filter, value, arguments)
        case .count, .length:
            _ = try bind(arguments, [], "filter 'length'")
            result = .int(try length(of: value))
        case .d, .default: result = try defaulted(value, arguments)
        case .attr:
            let bound = try bind(arguments, ["name"], required: 1, "filter 'attr'")
            // Attributes are methods only: the items of a mapping are not found.
            let name = try requiredText(bound, 0).string
            result = value.hasMethod(name) ? .callable(.method(value, name)) : .undefined(name)
        case .map, .select, .reject, .selectattr, .rejectattr: result = try applyEach(filter, value, arguments)
        default: result = try applyToSequence(filter, value, arguments)
        }
        try charge(for: result)
        return result
    }

    // MARK: Texts

    private func applyTextual(_ filter: Filter, _ value: Value, _ arguments: CallArguments) throws(TemplateError)
        -> Text
    {
        let owner = "filter '\(filter.rawValue)'"
        switch filter {
        case .tojson: return try json(value, arguments)
        case .indent: return try indented(value, arguments)
        case .replace:
            let bound = try bind(arguments, ["old", "new", "count"], required: 2, owner)
            let (old, new) = (try text(of: bound.value(0)), try text(of: bound.value(1)))
            let text = try text(of: value)
            return try replaced(text, old, new, limit: integer(bound, 2))
        case .trim:
            let bound = try bind(arguments, ["chars"], owner)
            let text = try text(of: value)
            return try text.stripped(of: self.text(bound, 0)).asMarkup(text.isMarkup)
        case .format:
            guard case .text(let format) = value else {
                throw fail(value, "\(owner) needs a string, not \(value.kind)")
            }
            if !arguments.named.isEmpty, !arguments.positional.isEmpty {
                throw fail("\(owner) takes arguments by position or by name, not both")
            }
            if !arguments.named.isEmpty { return try formatted(format, percent: .map(object(arguments.named))) }
            return try formatted(format, percent: .list(List(arguments.positional, .tuple)))
        default: break
        }
        _ = try bind(arguments, [], owner)
        let text = try text(of: value)
        switch filter {
        case .upper: return text.uppercased.asMarkup(text.isMarkup)
        case .lower: return text.lowercased.asMarkup(text.isMarkup)
        case .capitalize: return text.capitalized.asMarkup(text.isMarkup)
        case .title: return titled(text)
        case .e, .escape: return escaped(text).asMarkup()
        case .safe: return text.asMarkup()
        default: return text
        }
    }

    private func wordCount(_ value: Value) throws(TemplateError) -> Value {
        var inWord = false
        var count = 0
        for letter in try text(of: value).letters {
            let isWord = letter.scalar.isPythonAlphabetic || letter.scalar.isPythonNumeric || letter == "_"
            if isWord, !inWord { count += 1 }
            inWord = isWord
        }
        return .int(count)
    }

    /// Jinja's `title` differs from `str.title`: words start after white space, hyphens and opening brackets only.
    private func titled(_ text: Text) -> Text {
        var result = Text()
        var startsWord = true
        for letter in text.letters {
            let mapping =
                startsWord ? letter.scalar.properties.uppercaseMapping : letter.scalar.properties.lowercaseMapping
            result.escape(letter, as: mapping)
            startsWord = letter.scalar.isPythonSpace || "-({[<".unicodeScalars.contains(letter.scalar)
        }
        return result
    }

    /// Escaped for HTML, unless it was before.
    func escaped(_ text: Text) -> Text {
        if text.isMarkup { return text }
        var result = Text()
        for letter in text.letters {
            switch letter.scalar {
            case "&": result.escape(letter, as: "&amp;")
            case "<": result.escape(letter, as: "&lt;")
            case ">": result.escape(letter, as: "&gt;")
            case "'": result.escape(letter, as: "&#39;")
            case "\"": result.escape(letter, as: "&#34;")
            default: result.letters.append(letter)
            }
        }
        return result
    }

    func replaced(_ text: Text, _ old: Text, _ new: Text, limit: Int?) throws(TemplateError) -> Text {
        let limit = limit.map { $0 < 0 ? .max : $0 } ?? .max
        // What it may come to at most, before it is made.
        let places = old.isEmpty ? text.count + 1 : text.count / old.count
        let (growth, overflow) = min(places, limit).multipliedReportingOverflow(by: new.count)
        if overflow || growth > limits.outputLength || growth > 4096 {
            try charge(
                old.isEmpty
                    ? growth
                    : text.positions(of: old, limit: limit).count.multipliedReportingOverflow(by: new.count)
                        .partialValue)
        }
        return text.replacing(old, with: new, limit: limit)
    }

    private func indented(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Text {
        let bound = try bind(arguments, ["width", "first", "blank"], "filter 'indent'")
        guard case .text(let text) = value else {
            throw fail(value, "filter 'indent' needs a string, not \(value.kind)")
        }
        let indent: Text
        if case .text(let given)? = bound[0] { indent = given } else { indent = try spaces(integer(bound, 0) ?? 4) }
        let first = bound[1]?.isTrue ?? false
        let blank = bound[2]?.isTrue ?? false
        var lines = (text + Text("\n")).lines()
        let (growth, overflow) = lines.count.multipliedReportingOverflow(by: indent.count)
        try charge(overflow ? .max : growth)
        for index in lines.indices where index == 0 ? first : blank || !lines[index].isEmpty {
            lines[index] = indent + lines[index]
        }
        return Text("\n").joined(lines).asMarkup(text.isMarkup)
    }

    func spaces(_ count: Int) throws(TemplateError) -> Text {
        try charge(max(count, 0))
        return Text(Array(repeating: Letter(" "), count: max(count, 0)))
    }

    private func json(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Text {
        let bound = try bind(arguments, ["ensure_ascii", "indent", "separators", "sort_keys"], "filter 'tojson'")
        var writer = JSONWriter()
        writer.escapesUnicode = bound[0]?.isTrue ?? false
        writer.sortsKeys = bound[3]?.isTrue ?? false
        switch bound[1] {
        case nil, Value.none?: break
        case .text(let text)?: writer.indent = text
        default: writer.indent = try spaces(integer(bound, 1) ?? 0)
        }
        if writer.indent != nil { writer.itemSeparator = Text(",") }
        if let separators = bound[2], !separators.isNone {
            guard case .list(let pair) = separators, pair.items.count == 2, case .text(let item) = pair.items[0],
                case .text(let key) = pair.items[1]
            else { throw fail("filter 'tojson' needs two strings for 'separators'") }
            (writer.itemSeparator, writer.keySeparator) = (item, key)
        }
        try writer.write(value, for: self)
        return writer.result
    }

    // MARK: Numbers

    private func applyNumeric(_ filter: Filter, _ value: Value, _ arguments: CallArguments) throws(TemplateError)
        -> Value
    {
        switch filter {
        case .int:
            let bound = try bind(arguments, ["default", "base"], "filter 'int'")
            if value.isUndefined { throw fail(value, "") }
            return try integer(value, base: integer(bound, 1) ?? 10) ?? bound[0] ?? .int(0)
        case .float:
            let bound = try bind(arguments, ["default"], "filter 'float'")
            if value.isUndefined { throw fail(value, "") }
            if let number = value.number { return .double(number) }
            return value.asText.flatMap(double).map(Value.double) ?? bound[0] ?? .double(0)
        case .abs:
            _ = try bind(arguments, [], "filter 'abs'")
            if case .double(let number) = value { return .double(number.magnitude) }
            guard let integer = value.integer else {
                throw fail(value, "filter 'abs' needs a number, not \(value.kind)")
            }
            return integer < 0 ? try negated(value) : .int(integer)
        default: return try rounded(value, arguments)
        }
    }

    /// An integer as `int()` reads it: signs, underscores between digits and white space around are fine.
    private func integer(_ value: Value, base: Int) throws(TemplateError) -> Value? {
        if let integer = value.integer { return .int(integer) }
        if case .double(let number) = value { return try whole(number) }
        guard case .text(let text) = value else { return nil }
        guard (2...36).contains(base) else { throw fail("filter 'int' cannot read base \(base)") }
        var digits = text.stripped().string
        if base == 16 || base == 8 || base == 2 {
            let prefix = base == 16 ? "0x" : base == 8 ? "0o" : "0b"
            if digits.lowercased().hasPrefix(prefix) { digits = String(digits.dropFirst(2)) }
        }
        if let integer = Int(digits.withoutUnderscores, radix: base) { return .int(integer) }
        if digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), !digits.isEmpty, base == 10 {
            throw fail(limit: "64-bit integers")
        }
        return try double(text).flatMap { number throws(TemplateError) in try whole(number) }
    }

    private func whole(_ number: Double) throws(TemplateError) -> Value? {
        if number.isNaN { return nil }
        guard let integer = Int(exactly: number.rounded(.towardZero)) else { throw fail(limit: "64-bit integers") }
        return .int(integer)
    }

    private func double(_ text: Text) -> Double? {
        let digits = text.stripped().string.withoutUnderscores.lowercased()
        // Swift reads hexadecimal fractions too, Python does not.
        return digits.contains("x") || digits.contains("p") || digits.contains("(") ? nil : Double(digits)
    }

    private func rounded(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, ["precision", "method"], "filter 'round'")
        let precision = try integer(bound, 0) ?? 0
        guard let number = value.number else { throw fail(value, "filter 'round' needs a number, not \(value.kind)") }
        guard (-300...300).contains(precision) else { throw fail("filter 'round' cannot keep \(precision) digits") }
        let method = try text(bound, 1)?.string ?? "common"
        switch method {
        case "common":
            if let integer = value.integer, precision >= 0 { return .int(integer) }
            let result = number.rounded(decimals: precision)
            return value.integer == nil ? .double(result) : try whole(result) ?? .int(0)
        case "ceil", "floor":
            var scale = 1.0
            for _ in 0..<Swift.abs(precision) { scale *= 10 }
            if precision < 0 { scale = 1 / scale }
            guard case .int(let result)? = try whole((number * scale).rounded(method == "ceil" ? .up : .down)) else {
                throw fail("filter 'round' needs a finite number")
            }
            return precision == 0 ? .double(Double(result)) : .double(Double(result) / scale)
        default: throw fail("filter 'round' knows common, ceil and floor, not '\(method)'")
        }
    }

    // MARK: Any value

    func length(of value: Value) throws(TemplateError) -> Int {
        switch value {
        case .undefined: return 0
        case .text(let text): return text.count
        case .map(let object): return object.count
        case .loop(let loop): return loop.items.count
        case .list(let list):
            if case .generator = list.kind {
                throw fail("the result of a filter has no length before it goes through 'list'")
            }
            return list.items.count
        default: throw fail("\(value.kind) has no length")
        }
    }

    private func defaulted(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, ["default_value", "boolean"], "filter 'default'")
        let isMissing = value.isUndefined || (bound[1]?.isTrue ?? false) && !value.isTrue
        return isMissing ? bound[0] ?? .text(Text()) : value
    }
}

extension String {
    /// Digits without the underscores that may stand between them; as it is if they stand elsewhere.
    fileprivate var withoutUnderscores: String {
        if !utf8.contains(0x5F) { return self }
        let parts = split(separator: "_", omittingEmptySubsequences: false)
        func digit(_ character: Character?) -> Bool { character.map { $0.isASCII && $0.isHexDigit } ?? false }
        for (left, right) in zip(parts, parts.dropFirst()) where !digit(left.last) || !digit(right.first) {
            return self
        }
        return parts.joined()
    }
}

extension Double {
    /// Rounded to so many decimals, halves to even, on the number's exact digits (as `round` of Python).
    func rounded(decimals: Int) -> Double {
        if decimals == 0 || !isFinite { return rounded(.toNearestOrEven) }
        if decimals < 0 {
            var scale = 1.0
            for _ in 0..<(-decimals) { scale *= 10 }
            return (self / scale).rounded(.toNearestOrEven) * scale
        }
        return Double(fixed(decimals: decimals)) ?? self
    }

    /// `%.Nf`: the exact binary value, rounded half to even to so many decimals.
    func fixed(decimals: Int) -> String {
        if !isFinite { return pythonDescription }
        // significand · 2^exponent as a decimal integer of `decimals` places, digit by digit.
        var digits = DecimalInteger(magnitude.significandBitPattern | (magnitude.isNormal ? 1 << 52 : 0))
        var shift = (magnitude.isNormal ? Int(exponent) : -1022) - 52
        if magnitude == 0 { shift = 0 }
        for _ in 0..<decimals { digits.multiply(by: 10) }
        while shift > 0 { digits.multiply(by: 2); shift -= 1 }
        var rest = DecimalInteger.Rest.zero
        while shift < 0 { rest = digits.halve(after: rest); shift += 1 }
        if rest == .aboveHalf || (rest == .half && digits.isOdd) { digits.increment() }
        var text = digits.description
        if text.utf8.count <= decimals { text = String(repeating: "0", count: decimals + 1 - text.utf8.count) + text }
        if decimals > 0 {
            let point = text.index(text.endIndex, offsetBy: -decimals)
            text = text[..<point] + "." + text[point...]
        }
        return sign == .minus ? "-" + text : text
    }
}

/// A whole number of any size, just capable enough to print floating-point numbers exactly.
private struct DecimalInteger: CustomStringConvertible {
    /// What halving lost so far, compared with one half.
    enum Rest { case zero, belowHalf, half, aboveHalf }

    /// Nine decimal digits each, the lowest first.
    private var limbs: [UInt64] = []
    private static let base: UInt64 = 1_000_000_000

    init(_ value: UInt64) {
        var value = value
        while value > 0 {
            limbs.append(value % Self.base)
            value /= Self.base
        }
    }

    var isOdd: Bool { (limbs.first ?? 0) % 2 == 1 }

    mutating func multiply(by factor: UInt64) {
        var carry: UInt64 = 0
        for index in limbs.indices {
            let product = limbs[index] * factor + carry
            limbs[index] = product % Self.base
            carry = product / Self.base
        }
        if carry > 0 { limbs.append(carry) }
    }

    mutating func halve(after rest: Rest) -> Rest {
        let wasOdd = isOdd
        var carry: UInt64 = 0
        for index in limbs.indices.reversed() {
            let value = limbs[index] + carry * Self.base
            limbs[index] = value / 2
            carry = value % 2
        }
        while limbs.last == 0 { limbs.removeLast() }
        return wasOdd ? (rest == .zero ? .half : .aboveHalf) : (rest == .zero ? .zero : .belowHalf)
    }

    mutating func increment() {
        for index in limbs.indices {
            limbs[index] += 1
            if limbs[index] < Self.base { return }
            limbs[index] = 0
        }
        limbs.append(1)
    }

    var description: String {
        guard let last = limbs.last else { return "0" }
        return limbs.dropLast().reversed().reduce(String(last)) { text, limb in
            let digits = String(limb)
            return text + String(repeating: "0", count: 9 - digits.utf8.count) + digits
        }
    }
}
