/// A safetensors file in the making. Entries are JSON text, so that a test can say anything.
package struct SafetensorsBytes {
    package var entries: [(name: String, json: String)] = []
    package var data: [UInt8] = []
    /// What the first eight bytes say, if not the truth.
    package var headerLength: UInt64?

    package init() {}

    /// A well-formed entry for `bytes`, which are put after those before.
    package mutating func add(_ name: String, _ type: String, _ shape: [Int], _ bytes: [UInt8]) {
        entries.append((name, Self.entry(type, shape, data.count, data.count + bytes.count)))
        data += bytes
    }

    package mutating func add(_ name: String, _ shape: [Int], floats: [Float]) {
        add(name, "F32", shape, floats.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian) { Array($0) } })
    }

    package mutating func addMetadata(_ members: [(String, String)]) {
        let text = members.map { "\"\($0.0)\":\"\($0.1)\"" }.joined(separator: ",")
        entries.insert(("__metadata__", "{\(text)}"), at: 0)
    }

    package static func entry(_ type: String, _ shape: [Int], _ begin: Int, _ end: Int) -> String {
        let sizes = shape.map(String.init).joined(separator: ",")
        return "{\"dtype\":\"\(type)\",\"shape\":[\(sizes)],\"data_offsets\":[\(begin),\(end)]}"
    }

    package var header: String { "{" + entries.map { "\"\($0.name)\":\($0.json)" }.joined(separator: ",") + "}" }

    package func written() -> [UInt8] { Self.file(header: Array(header.utf8), length: headerLength, data: data) }

    /// Any header before any data.
    package static func file(header: [UInt8], length: UInt64? = nil, data: [UInt8] = []) -> [UInt8] {
        var writer = ByteWriter()
        writer.integer(length ?? UInt64(header.count))
        writer.append(header)
        writer.append(data)
        return writer.bytes
    }

    package static func file(header: String, length: UInt64? = nil, data: [UInt8] = []) -> [UInt8] {
        file(header: Array(header.utf8), length: length, data: data)
    }
}
