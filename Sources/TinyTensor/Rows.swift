#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Rows of activations, one after the other: a view, valid while the `RowBuffer` it comes from lives.
package struct Rows {
    package let base: UnsafeMutablePointer<Float>
    package let count: Int
    package let width: Int

    package init(base: UnsafeMutablePointer<Float>, count: Int, width: Int) {
        self.base = base
        self.count = count
        self.width = width
    }

    /// The first element of row `index`.
    package subscript(index: Int) -> UnsafeMutablePointer<Float> {
        precondition(index >= 0 && index < count, "row \(index) of \(count)")
        return base + index * width
    }

    package func slice(_ range: Range<Int>) -> Rows {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "rows \(range) of \(count)")
        return Rows(base: base + range.lowerBound * width, count: range.count, width: width)
    }

    /// The same elements as more and narrower rows.
    package func split(width: Int) -> Rows {
        precondition(self.width.isMultiple(of: width), "rows of \(self.width) in parts of \(width)")
        return Rows(base: base, count: count * (self.width / width), width: width)
    }

    /// One row as a span.
    package func withRow<R>(_ index: Int, _ body: (Span<Float>) throws -> R) rethrows -> R {
        try body(UnsafeBufferPointer(start: self[index], count: width).span)
    }

    /// A copy, for those who keep what they were shown.
    package var values: [Float] { Array(UnsafeBufferPointer(start: base, count: count * width)) }
}

/// Memory for activations, of fixed capacity, all zero, aligned for the widest vector. The system gives pages as they are
/// first touched, so capacity that is never used costs nothing.
package struct RowBuffer: ~Copyable {
    package let base: UnsafeMutablePointer<Float>
    private let capacity: Int
    private let allocation: UnsafeMutableRawPointer
    private static let alignment = 64

    /// Room for `capacity` floats.
    package init(capacity: Int) {
        guard let allocation = calloc(capacity * 4 + Self.alignment, 1) else {
            preconditionFailure("no memory for \(capacity) floats")
        }
        self.allocation = allocation
        self.capacity = capacity
        base = allocation.alignedUp(toMultipleOf: Self.alignment).bindMemory(to: Float.self, capacity: max(capacity, 1))
    }

    deinit { free(allocation) }

    /// Gives the whole pages of a stretch of memory back to the system. What stood there is lost.
    package static func release(_ start: UnsafeMutableRawPointer, _ bytes: Int) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let first = start.alignedUp(toMultipleOf: page)
        let end = (start + bytes).alignedDown(toMultipleOf: page)
        if first < end { madvise(first, end - first, MADV_DONTNEED) }
    }

    package func rows(_ count: Int, width: Int) -> Rows {
        precondition(count * width <= capacity, "\(count) rows of \(width) in \(capacity) floats")
        return Rows(base: base, count: count, width: width)
    }
}
