/// Floats at an address of the test's choosing: aligned to 64 bytes, or any number of bytes past that.
package final class AlignedFloats {
    private let memory: UnsafeMutableRawPointer
    package let base: UnsafeMutablePointer<Float>
    package let count: Int

    /// - Parameter offset: bytes past the alignment; a multiple of four, as a `Float` has to be.
    package init(_ values: [Float], offset: Int = 0) {
        precondition(offset.isMultiple(of: 4))
        count = values.count
        memory = .allocate(byteCount: values.count * 4 + offset + 64, alignment: 64)
        base = (memory + offset).bindMemory(to: Float.self, capacity: max(1, values.count))
        values.withUnsafeBufferPointer { buffer in
            if let start = buffer.baseAddress { base.initialize(from: start, count: buffer.count) }
        }
    }

    package convenience init(zeros count: Int, offset: Int = 0) {
        self.init([Float](repeating: 0, count: count), offset: offset)
    }

    deinit { memory.deallocate() }

    package var values: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }
}
