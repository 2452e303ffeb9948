import TinyTensor

/// Texts, or the next parts of some, that are read in one pass, their rows end to end: products take all rows at once,
/// attention looks at each text alone.
package final class PackedTexts: Sendable {
    /// The places of all, in order.
    let places: [TextPlace]
    /// `[T]`: where a row stands in its text.
    let positions: [Int]

    /// Whole texts, one behind the other in an empty cache.
    ///
    /// - Parameter counts: tokens of each text, at least one.
    package convenience init(counts: [Int], in cache: KeyValueCache) {
        var start = 0
        self.init(
            counts.map { count in
                defer { start += count }
                return Part(cache: cache, held: 0, cacheStart: start, rows: count, length: count)
            })
    }

    /// Parts of texts that have a cache each.
    ///
    /// - Parameters:
    ///   - rows: tokens of each part, at least one.
    ///   - length: tokens of that text as a whole, for rotations that stretch with it.
    package convenience init(continuing texts: [(cache: KeyValueCache, rows: Int, length: Int)]) {
        self.init(
            texts.map { Part(cache: $0.cache, held: $0.cache.count, cacheStart: 0, rows: $0.rows, length: $0.length) })
    }

    private struct Part {
        let cache: KeyValueCache
        let held, cacheStart, rows, length: Int
    }

    private init(_ parts: [Part]) {
        var places: [TextPlace] = []
        var positions: [Int] = []
        var packedStart = 0
        for part in parts {
            precondition(part.rows > 0, "a text without tokens")
            places.append(
                TextPlace(
                    firstRow: positions.count, rows: part.rows, length: part.length, held: part.held,
                    cache: part.cache, cacheStart: part.cacheStart, packedStart: packedStart))
            positions += part.held..<part.held + part.rows
            packedStart += (part.held + part.rows).roundedUp(to: TextPlace.alignment)
        }
        self.places = places
        self.positions = positions
    }

    /// The rows of one text.
    package func rows(ofText text: Int) -> Range<Int> { places[text].range }
}

/// Where a text, or the next part of one, stands in a pass.
struct TextPlace: Sendable {
    /// Its first row of the pass, and how many it has there.
    let firstRow: Int
    let rows: Int
    /// Its tokens as a whole, as far as they are known.
    let length: Int
    /// Its tokens that are in the cache already.
    let held: Int
    /// Whoever reads texts keeps their caches; a place is made for every tile of attention, and counts no owners.
    nonisolated(unsafe) unowned(unsafe) let cache: KeyValueCache
    /// Where its first token stands in the cache, and where among keys and values that are packed for kernels.
    let cacheStart: Int
    let packedStart: Int

    var range: Range<Int> { firstRow..<firstRow + rows }

    /// Kernels pack so many tokens together, and a sum's order depends on where they begin.
    static let alignment = 32
}

extension ForwardContext {
    /// Where a row of this pass stands in its text.
    func position(ofRow row: Int) -> Int { texts?.positions[row] ?? cache.count + row }
}
