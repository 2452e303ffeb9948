package import TinyJSON
package import TinyLoader
import TinyTensor

/// A model's configuration, whatever file it stands in, read by key, and a memory of which keys were asked for.
///
/// A key has several spellings: those of `config.json` through the years, and GGUF's (without its architecture in
/// front). Keys that nobody asked for are reported: one of them may have mattered.
package final class ConfigReader {
    package let file: String
    /// What keys of this object are reported with in front: "rope_scaling." for a nested one.
    private let prefix: String
    package let isGGUF: Bool
    private let values: JSONObject
    private let tensors: TensorIndex
    private var asked: Set<String> = []
    private var assumed: [String: Int] = [:]
    private var nested: [String: ConfigReader] = [:]

    package init(
        _ values: JSONObject, file: String, tensors: TensorIndex, prefix: String = "", isGGUF: Bool = false
    ) {
        self.isGGUF = isGGUF
        self.values = values
        self.file = file
        self.tensors = tensors
        self.prefix = prefix
    }

    /// The first of these spellings that has a value other than null, and the value.
    private func find(_ names: [String]) -> (name: String, value: JSON)? {
        asked.formUnion(names)
        for name in names {
            if let value = values[name], !value.isNull { return (name, value) }
        }
        guard !isGGUF, names.allSatisfy({ values[$0] == nil }) else { return nil }
        return names.lazy.compactMap { name in self.assumed[name].map { (name, .integer($0)) } }.first
    }

    /// What the reference's class takes where a `config.json` has no such key at all: a null means none.
    package func assume(_ values: [String: Int]) { assumed.merge(values) { $1 } }

    package func error(_ name: String, _ problem: String) -> ModelError {
        ModelError(file: file, "the configuration's \(printable(prefix + name)) \(problem)")
    }

    private func typed<T>(_ names: [String], _ expected: String, _ convert: (JSON) -> T?) throws(ModelError) -> T? {
        guard let (name, value) = find(names) else { return nil }
        guard let converted = convert(value) else { throw error(name, "is \(value.kind); \(expected) is expected") }
        return converted
    }

    private func required<T>(_ names: [String], _ value: T?) throws(ModelError) -> T {
        guard let value else {
            throw ModelError(
                file: file, "the configuration has no \(names.map { "\"\(prefix)\($0)\"" }.joined(separator: " or "))")
        }
        return value
    }

    // MARK: Values

    /// A size: a whole number from 1 to 2³¹, so that products of two cannot overflow.
    package func size(_ names: String...) throws(ModelError) -> Int { try required(names, try optionalSize(names)) }

    package func optionalSize(_ names: [String]) throws(ModelError) -> Int? {
        guard let value = try typed(names, "a whole number", \.integer) else { return nil }
        guard (1...Int(Int32.max)).contains(value) else {
            throw error(spelling(names), "is \(value); a size from 1 to \(Int32.max) is expected")
        }
        return value
    }

    /// A number of layers: a spec lists every one, so what no model has is refused before it takes memory.
    package func depth(_ names: String...) throws(ModelError) -> Int {
        let value = try required(names, try optionalSize(names))
        guard value <= 4096 else { throw error(spelling(names), "is \(value); at most 4096 layers are supported") }
        return value
    }

    /// What a norm adds to a variance.
    ///
    /// - Parameter other: what the reference takes where `config.json` has none; GGUF always has one.
    package func epsilon(_ names: String..., default other: Double) throws(ModelError) -> Float {
        let value = try required(names, try finite(names) ?? (isGGUF ? nil : other))
        guard value >= 0 else { throw error(spelling(names), "is \(value); a number from 0 on is expected") }
        return Float(value)
    }

    /// Which of these spellings the configuration uses.
    func spelling(_ names: [String]) -> String { find(names)?.name ?? names[0] }

    private func finite(_ names: [String]) throws(ModelError) -> Double? {
        try typed(names, "a finite number") { value in
            value.double.map { Double(Float($0)) }.flatMap { $0.isFinite ? $0 : nil }
        }
    }

    /// A finite number, rounded to single precision: some formats hold no more, and two files of one model should agree.
    package func optionalNumber(_ names: String...) throws(ModelError) -> Double? { try finite(names) }

    package func number(_ names: String...) throws(ModelError) -> Double { try required(names, try finite(names)) }

    /// A number above 0.
    package func positive(_ names: String...) throws(ModelError) -> Double? {
        guard let value = try finite(names) else { return nil }
        guard value > 0 else { throw error(spelling(names), "is \(value); a number above 0 is expected") }
        return value
    }

    package func integer(_ names: String...) throws(ModelError) -> Int? {
        try typed(names, "a whole number", \.integer)
    }

    package func bool(_ names: String...) throws(ModelError) -> Bool? { try typed(names, "true or false", \.bool) }

    package func string(_ names: String...) throws(ModelError) -> String? { try typed(names, "a string", \.string) }

    func string(_ names: [String]) throws(ModelError) -> String? { try typed(names, "a string", \.string) }

    package func strings(_ names: String...) throws(ModelError) -> [String]? {
        try typed(names, "an array of strings") { Self.all($0.array, \.string) }
    }

    package func bools(_ names: String...) throws(ModelError) -> [Bool]? {
        try typed(names, "an array of truth values") { Self.all($0.array, \.bool) }
    }

    package func numbers(_ names: String...) throws(ModelError) -> [Float]? {
        try typed(names, "an array of numbers") { Self.all($0.array) { $0.double.map { Float($0) } } }
    }

    private static func all<T>(_ values: [JSON]?, _ convert: (JSON) -> T?) -> [T]? {
        guard let values else { return nil }
        let converted = values.compactMap(convert)
        return converted.count == values.count ? converted : nil
    }

    package func integers(_ names: String...) throws(ModelError) -> [Int]? {
        try typed(names, "an array of whole numbers") { Self.all($0.array, \.integer) }
    }

    package func lists(ofBools names: String...) throws(ModelError) -> [[Bool]]? {
        try typed(names, "an array of arrays of truth values") { Self.all($0.array) { Self.all($0.array, \.bool) } }
    }

    /// A number for each layer: a list of so many, or one for all.
    package func sizes(perLayer depth: Int, _ names: [String]) throws(ModelError) -> [Int]? {
        let name = spelling(names)
        guard
            let values = try typed(
                names, "a whole number or an array of them",
                { value -> [Int]? in
                    guard let list = value.array else {
                        return value.integer.map { Array(repeating: $0, count: depth) }
                    }
                    let values = list.compactMap(\.integer)
                    return values.count == list.count ? values : nil
                })
        else { return nil }
        guard values.count == depth else {
            throw error(name, "has \(values.count) elements; the model has \(depth) layers")
        }
        for value in values where !(1...Int(Int32.max)).contains(value) {
            throw error(name, "has \(value) in it; sizes from 1 to \(Int32.max) are expected")
        }
        return values
    }

    /// Whether a key has a value, whatever it is.
    package func has(_ name: String) -> Bool { values[name].map { !$0.isNull } ?? false }

    /// Whether a key is there and has no value, which may mean something else than no key.
    package func isNull(_ name: String) -> Bool {
        asked.insert(name)
        return values[name]?.isNull ?? false
    }

    /// A number as it stands, for what is computed with it before it is rounded.
    package func exactNumber(_ names: String...) throws(ModelError) -> Double? {
        try typed(names, "a finite number") { $0.double.flatMap { Float($0).isFinite ? $0 : nil } }
    }

    /// A nested object.
    package func object(_ names: String...) throws(ModelError) -> ConfigReader? {
        guard let (name, value) = find(names) else { return nil }
        guard let object = value.object else { throw error(name, "is \(value.kind); an object is expected") }
        if let reader = nested[name] { return reader }
        let reader = ConfigReader(object, file: file, tensors: tensors, prefix: prefix + name + ".")
        nested[name] = reader
        return reader
    }

    /// A nested object whose missing keys have the values that the reference's class gives them.
    ///
    /// - Parameter names: the first that is there counts; all are optional.
    package func object(_ names: String..., defaults: KeyValuePairs<String, JSON>) throws(ModelError) -> ConfigReader {
        var object = JSONObject()
        var name = names[0]
        if let found = find(names) {
            guard let given = found.value.object else {
                throw error(found.name, "is \(found.value.kind); an object is expected")
            }
            (object, name) = (given, found.name)
        }
        for (key, value) in defaults { _ = object.append(key, value) }  // what is there stays
        let reader = ConfigReader(object, file: file, tensors: tensors, prefix: prefix + name + ".", isGGUF: isGGUF)
        nested[name] = reader
        return reader
    }

    // MARK: Accounting

    /// Keys that do not change what a model computes.
    package func ignore(_ names: [String]) {
        asked.formUnion(names)
        for reader in nested.values { reader.ignore(names) }
    }

    /// Refuses other values than these of switches that a recipe supports in one position only.
    package func require(_ switches: KeyValuePairs<String, Bool>) throws(ModelError) {
        for (name, value) in switches where try bool(name) ?? value != value {
            throw error(name, "is \(!value); only \(value) is supported")
        }
    }

    /// Keys with a value that nobody asked for.
    package var unread: [String] {
        let own = zip(values.keys, values.values).filter { !asked.contains($0.0) && !$0.1.isNull }.map { prefix + $0.0 }
        return own + nested.sorted { $0.key < $1.key }.flatMap(\.value.unread)
    }

    // MARK: What only the tensors tell

    /// The rows of a matrix in the file, for sizes that a configuration leaves out.
    package func rows(ofTensor name: String) -> Int? {
        tensors[name].flatMap { $0.shape.count == 2 ? $0.shape[0] : nil }
    }

    package func hasTensor(_ name: String) -> Bool { tensors[name] != nil }

    /// The elements of a small vector in the file.
    package func floats(ofTensor name: String) throws -> [Float]? { try tensors[name]?.matrix().floats() }
}
