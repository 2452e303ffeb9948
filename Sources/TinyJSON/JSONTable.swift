/// A long array or object of small values, kept flat: what a tree of values would hold in some hundred thousand objects
/// of their own.
///
/// The parser makes one only where it is asked to, and only if every element has the same of these forms.
package struct JSONTable: Sendable, Equatable {
    package enum Form: Sendable {
        /// `{"a": 0}`: `texts[i]` has `integers[i]`.
        case integers
        /// `["a"]`
        case texts
        /// `[["a", "b"]]`: `texts[2 * i]` and `texts[2 * i + 1]`.
        case pairs
        /// `[["a", 0.5]]`: `texts[i]` has `numbers[i]`.
        case scores
    }

    package let form: Form
    package let texts: TextList
    package let integers: [Int]
    package let numbers: [Double]
    private let index: TextIndex

    init(
        form: Form, texts: TextList = TextList(), integers: [Int] = [], numbers: [Double] = [],
        index: TextIndex = TextIndex()
    ) {
        self.index = index
        self.form = form
        self.texts = texts
        self.integers = integers
        self.numbers = numbers
    }

    package var count: Int { form == .pairs ? texts.count / 2 : texts.count }
    package var isObject: Bool { form == .integers }

    /// Of an object: the value of a key.
    package subscript(key: String) -> Int? { index.place(of: key, in: texts).map { integers[$0] } }

    package static func == (a: JSONTable, b: JSONTable) -> Bool {
        a.form == b.form && a.texts == b.texts && a.integers == b.integers && a.numbers == b.numbers
    }
}

extension JSONParser {
    /// A table at the place, or nil, with the place as it was, if what stands there has none of the forms.
    mutating func table() throws(JSONError) -> JSONTable? {
        let start = position
        let table = take(UInt8(ascii: "{")) ? try integers() : take(UInt8(ascii: "[")) ? try list() : nil
        if table == nil { position = start }
        return table
    }

    private mutating func integers() throws(JSONError) -> JSONTable? {
        var texts = TextList()
        var integers: [Int] = []
        var index = TextIndex()
        skipSpace()
        if take(UInt8(ascii: "}")) { return JSONTable(form: .integers) }
        while true {
            skipSpace()
            let start = position
            guard peek == UInt8(ascii: "\"") else { return nil }
            try string(into: &texts)
            if index.insertLast(of: texts) != nil { throw duplicate(texts[texts.count - 1], at: start) }
            guard takeAround(UInt8(ascii: ":")), peek.map(Self.beginsNumber) == true,
                case .integer(let value) = try number()
            else { return nil }
            integers.append(value)
            if takeAround(UInt8(ascii: ",")) { continue }
            return take(UInt8(ascii: "}"))
                ? JSONTable(form: .integers, texts: texts, integers: integers, index: index) : nil
        }
    }

    private mutating func list() throws(JSONError) -> JSONTable? {
        var form: JSONTable.Form?
        var texts = TextList()
        var numbers: [Double] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return JSONTable(form: .texts) }
        while true {
            skipSpace()
            let isNested = takeAround(UInt8(ascii: "["))
            guard peek == UInt8(ascii: "\"") else { return nil }
            try string(into: &texts)
            var found = JSONTable.Form.texts
            if isNested {
                guard takeAround(UInt8(ascii: ",")) else { return nil }
                if peek == UInt8(ascii: "\"") {
                    found = .pairs
                    try string(into: &texts)
                } else {
                    guard peek.map(Self.beginsNumber) == true, let number = try number().double else { return nil }
                    found = .scores
                    numbers.append(number)
                }
                guard takeAround(UInt8(ascii: "]")) else { return nil }
            }
            guard form == nil || form == found else { return nil }
            form = found
            if takeAround(UInt8(ascii: ",")) { continue }
            return take(UInt8(ascii: "]")) ? JSONTable(form: found, texts: texts, numbers: numbers) : nil
        }
    }

    /// Reads a byte and the white space on both sides of it.
    @inline(__always)
    private mutating func takeAround(_ byte: UInt8) -> Bool {
        skipSpace()
        guard take(byte) else { return false }
        skipSpace()
        return true
    }

    private static func beginsNumber(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte || byte == 0x2D }
}
