/// Why a text is not JSON, and where.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    /// Bytes from the start of the text.
    package let byte: Int
    package let reason: String
    /// Whether what is wrong is a key that stands twice in one object.
    package var isDuplicateKey = false

    package var description: String { "not valid JSON at byte \(byte): \(reason)" }
}

extension JSON {
    /// Reads one JSON text: UTF-8, nothing before or after but white space, no key twice in one object.
    ///
    /// - Parameter depthLimit: how deep arrays and objects may nest; the parser recurses, so this guards the stack.
    /// - Parameter valueLimit: how many values there may be; a value takes more memory than the text it comes from.
    /// - Parameter tables: paths of keys at which a long array or object becomes a table, if it has the form of one.
    package init(
        parsing bytes: [UInt8], depthLimit: Int = 128, valueLimit: Int = .max, tables: [[String]] = []
    ) throws(JSONError) {
        var parser = JSONParser(bytes: bytes, depthLimit: depthLimit, valueLimit: valueLimit, tables: tables)
        self = try parser.document()
    }

    package init(parsing text: String) throws(JSONError) {
        try self.init(parsing: Array(text.utf8))
    }
}

struct JSONParser {
    let bytes: [UInt8]
    let depthLimit: Int
    let valueLimit: Int
    var position = 0
    private var valueCount = 0
    private var tables: [[String]]
    /// The keys that lead to the place, as deep as tables are wanted.
    private var path: [String] = []
    private let pathLimit: Int

    init(bytes: [UInt8], depthLimit: Int, valueLimit: Int, tables: [[String]] = []) {
        self.bytes = bytes
        self.depthLimit = depthLimit
        self.valueLimit = valueLimit
        // Texts of tables are not checked one by one. Where something is wrong, the tree's reader finds the place.
        self.tables = tables.isEmpty || !Self.isUTF8(bytes) ? [] : tables
        pathLimit = self.tables.map(\.count).max() ?? 0
    }

    private static func isUTF8(_ bytes: [UInt8]) -> Bool {
        do { _ = try UTF8Span(validating: bytes.span) } catch { return false }
        return true
    }

    mutating func document() throws(JSONError) -> JSON {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        let value = try value(depth: 0)
        skipSpace()
        if position < bytes.count { throw error("unexpected \(found) after the value") }
        return value
    }

    // MARK: Values

    private mutating func value(depth: Int) throws(JSONError) -> JSON {
        if depth > depthLimit { throw error("nested deeper than \(depthLimit)") }
        valueCount += 1
        if valueCount > valueLimit { throw error("more than \(valueLimit) values") }
        skipSpace()
        guard position < bytes.count else { throw error("the text ends where a value should be") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSON {
        var object = JSONObject()
        position += 1
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(object) }
        while true {
            skipSpace()
            let start = position
            guard peek == UInt8(ascii: "\"") else { throw error("expected a key, found \(found)") }
            let key = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("expected ':' after key \(quoted(key)), found \(found)") }
            let value = depth < pathLimit ? try member(key, depth: depth) : try value(depth: depth + 1)
            guard object.append(key, value) else { throw duplicate(key, at: start) }
            skipSpace()
            if take(UInt8(ascii: ",")) { continue }
            if take(UInt8(ascii: "}")) { return .object(object) }
            throw error("expected ',' or '}', found \(found)")
        }
    }

    /// The value of a key on the way to a table.
    private mutating func member(_ key: String, depth: Int) throws(JSONError) -> JSON {
        guard path.count == depth else { return try value(depth: depth + 1) }
        path.append(key)
        defer { path.removeLast() }
        skipSpace()
        if tables.contains(path), let table = try table() { return .table(table) }
        return try value(depth: depth + 1)
    }

    func duplicate(_ key: String, at start: Int) -> JSONError {
        JSONError(byte: start, reason: "key \(quoted(key)) stands twice in one object", isDuplicateKey: true)
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSON {
        var values: [JSON] = []
        position += 1
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(values) }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: ",")) { continue }
            if take(UInt8(ascii: "]")) { return .array(values) }
            throw error("expected ',' or ']', found \(found)")
        }
    }

    private mutating func literal(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        let matches = word.withUTF8Buffer { bytes[position...].starts(with: $0) }
        guard matches else { throw error("expected \(word), found \(found)") }
        position += word.utf8CodeUnitCount
        return value
    }

    // MARK: Numbers

    mutating func number() throws(JSONError) -> JSON {
        let start = position
        if let short = shortInteger() { return .integer(short) }
        _ = take(UInt8(ascii: "-"))
        let leadingZero = peek == UInt8(ascii: "0")
        let whole = skipDigits()
        if whole == 0 { throw error("expected a value, found \(found)") }
        if leadingZero && whole > 1 { throw JSONError(byte: start, reason: "a number with a leading zero") }
        var isInteger = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            if skipDigits() == 0 { throw error("expected a digit after '.', found \(found)") }
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isInteger = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            if skipDigits() == 0 { throw error("expected a digit in the exponent, found \(found)") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let integer = Int(text) { return .integer(integer) }
        guard let double = Double(text), double.isFinite else {
            throw JSONError(
                byte: start, reason: "the number \(text.prefix(40))\(text.utf8.count > 40 ? "…" : "") is out of range")
        }
        return .number(double)
    }

    /// A whole number of up to nine digits, as most are; nil, and nothing read, if it is another.
    private mutating func shortInteger() -> Int? {
        var value = 0
        var end = position
        while end < bytes.count, end - position <= 9, bytes[end] &- 48 < 10 {
            value = value * 10 + Int(bytes[end] &- 48)
            end += 1
        }
        let count = end - position
        guard 1...9 ~= count, count == 1 || bytes[position] != UInt8(ascii: "0") else { return nil }
        if end < bytes.count {
            switch bytes[end] {
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): return nil
            default: break
            }
        }
        position = end
        return value
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while position < bytes.count, bytes[position] &- 48 < 10 { position += 1 }
        return position - start
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        let start = position
        // Most strings hold no escape: one copy, straight from the bytes.
        if let range = plainString() { return try text(bytes, range, from: start) }
        let buffer = try escapedString()
        return try text(buffer, 0..<buffer.count, from: start)
    }

    /// Appends a string of a text that is valid UTF-8 as a whole.
    @inline(__always)
    mutating func string(into list: inout TextList) throws(JSONError) {
        if let range = plainString() { list.append(bytes[range]) } else { list.append(try escapedString()) }
    }

    /// Where the contents of a string without escapes stand, which is read; nil, and nothing read, if it has some.
    @inline(__always)
    private mutating func plainString() -> Range<Int>? {
        let first = position + 1
        // Held locally: a member that changes cannot stay in a register.
        var end = first
        bytes.withUnsafeBufferPointer { bytes in
            while end < bytes.count, bytes[end] != UInt8(ascii: "\""), bytes[end] != UInt8(ascii: "\\"),
                bytes[end] >= 0x20
            {
                end += 1
            }
        }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "\"") else { return nil }
        position = end + 1
        return first..<end
    }

    private mutating func escapedString() throws(JSONError) -> [UInt8] {
        let start = position
        position += 1
        var buffer: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return buffer
            case UInt8(ascii: "\\"): try escape(into: &buffer)
            case 0..<0x20: throw JSONError(byte: position - 1, reason: "a control character inside a string")
            default: buffer.append(byte)
            }
        }
        throw JSONError(byte: start, reason: "a string that does not end")
    }

    private func text(_ bytes: [UInt8], _ range: Range<Int>, from start: Int) throws(JSONError) -> String {
        do { return String(copying: try UTF8Span(validating: bytes.span.extracting(range))) } catch {
            throw JSONError(byte: start, reason: "a string that is not valid UTF-8")
        }
    }

    private mutating func escape(into buffer: inout [UInt8]) throws(JSONError) {
        guard position < bytes.count else { throw error("the text ends inside an escape") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(byte)
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0C)
        case UInt8(ascii: "n"): buffer.append(0x0A)
        case UInt8(ascii: "r"): buffer.append(0x0D)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"):
            buffer.append(contentsOf: UTF8.encode(try unicodeEscape()) ?? UTF8.encodedReplacementCharacter)
        default: throw JSONError(byte: position - 1, reason: "an unknown escape, '\\' and then \(shown(byte))")
        }
    }

    /// `\uXXXX`, or a surrogate pair of two; half a pair becomes U+FFFD, as no UTF-8 spells it.
    private mutating func unicodeEscape() throws(JSONError) -> Unicode.Scalar {
        let high = try hexadecimal()
        if let scalar = Unicode.Scalar(high) { return scalar }
        let isPair =
            high < 0xDC00 && position + 1 < bytes.count && bytes[position] == UInt8(ascii: "\\")
            && bytes[position + 1] == UInt8(ascii: "u")
        guard isPair else { return "\u{FFFD}" }
        let mark = position
        position += 2
        let low = try hexadecimal()
        if 0xDC00..<0xE000 ~= low, let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)) {
            return scalar
        }
        position = mark
        return "\u{FFFD}"
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        guard bytes.count - position >= 4 else { throw error("the text ends inside an escape") }
        var value: UInt32 = 0
        for index in position..<position + 4 {
            let digit: UInt8
            switch bytes[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = bytes[index] - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = bytes[index] - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = bytes[index] - UInt8(ascii: "A") + 10
            default: throw error("'\\u' wants four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }

    // MARK: Bytes

    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func skipSpace() {
        var end = position
        while end < bytes.count {
            switch bytes[end] {
            case 0x20, 0x09, 0x0A, 0x0D: end += 1
            default:
                position = end
                return
            }
        }
        position = end
    }

    private var found: String {
        guard let byte = peek else { return "the end of the text" }
        return shown(byte)
    }

    private func shown(_ byte: UInt8) -> String {
        0x21..<0x7F ~= byte ? "'\(Character(Unicode.Scalar(byte)))'" : "byte \(byte)"
    }

    /// A key for a message: cut to a length, with nothing in it that a terminal would act on.
    private func quoted(_ key: String) -> String {
        var result = ""
        for scalar in key.unicodeScalars.prefix(120) {
            let isControl = scalar.value < 0x20 || 0x7F..<0xA0 ~= scalar.value
            result += isControl ? "\\u{\(String(scalar.value, radix: 16))}" : String(Character(scalar))
        }
        return "\"\(result)\(key.unicodeScalars.count > 120 ? "…" : "")\""
    }

    private func error(_ reason: String) -> JSONError { JSONError(byte: position, reason: reason) }
}
