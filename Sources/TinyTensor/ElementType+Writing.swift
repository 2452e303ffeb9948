import CTinyKernels

extension ElementType {
    /// Whether floats can be turned into this type.
    package var canBeWritten: Bool { tk_can_quantize(kernelType) }
}

/// A weight that a type has no way to write.
package struct QuantizationFault: Error {
    package let row: Int
    package let column: Int
    package let value: Float
}

extension Matrix {
    /// Rows as another type, into memory for as many.
    ///
    /// - Parameter importance: what the square of an error counts, for each column; the same for all if nil.
    /// - Throws: the first weight that is not finite, or too large for the type's scales.
    /// - Precondition: a row is whole blocks of the type, which can be written.
    package func convert(
        _ range: Range<Int>, to type: ElementType, importance: [Float]?, into memory: UnsafeMutableRawBufferPointer,
        _ pool: ThreadPool
    ) throws(QuantizationFault) {
        guard let size = type.bytes(for: columns) else { preconditionFailure("\(columns) columns of \(type.rawValue)") }
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        precondition(memory.count >= range.count * size && importance?.count ?? columns == columns, "shapes differ")
        guard columns > 0, let to = memory.baseAddress else { return }
        let parts = pool.threadCount
        // A fault of each part; the first part's is the first.
        var faults = [QuantizationFault?](repeating: nil, count: parts)
        faults.withUnsafeMutableBufferPointer { faults in
            nonisolated(unsafe) let faults = faults
            nonisolated(unsafe) let to = to
            pool.run { part in
                let values = UnsafeMutablePointer<Float>.allocate(capacity: columns)
                defer { values.deallocate() }
                for row in range.count * part / parts..<range.count * (part + 1) / parts {
                    expand(row: range.lowerBound + row, into: values)
                    let bad = tk_quantize(type.kernelType, values, columns, importance, to + row * size)
                    if bad >= 0 {
                        faults[part] = QuantizationFault(row: range.lowerBound + row, column: bad, value: values[bad])
                        return
                    }
                }
            }
        }
        if let fault = faults.lazy.compactMap(\.self).first { throw fault }
    }
}

/// Gives two files or folders each other's name, in one step; false, with `errno` set, if the system could not.
package func exchangeNames(_ a: String, _ b: String) -> Bool { tk_exchange_names(a, b) }
