import Testing

@testable import TinyTensor

@Suite struct WeightMemoryTests {
    /// As many bytes as asked for, aligned for the widest vector, and nobody else's: within a slab, in the next one, and too
    /// large to share.
    @Test func piecesAreApart() throws {
        let memory = WeightMemory()
        let counts = [1, 64, 0, 100_000, 3 << 20, 16 << 20, 15 << 20, 70 << 20, 15 << 20, 15 << 20, 127, 1 << 20, 5]
        let pieces = counts.enumerated().map { index, count in
            memory.allocate(byteCount: count) { Self.mark($0, UInt8(index)) }
        }
        for (index, piece) in pieces.enumerated() {
            #expect(piece.bytes.count == counts[index])
            #expect(UInt(bitPattern: piece.bytes.baseAddress) % 64 == 0)
            #expect(piece.bytes.first ?? UInt8(index) == UInt8(index))
            #expect(piece.bytes.last ?? UInt8(index) == UInt8(index))
        }
    }

    /// A piece is readable as long as it is held, whatever became of its neighbours and of what it was cut from.
    @Test func aPieceOutlivesItsNeighbours() throws {
        var memory: WeightMemory? = WeightMemory()
        var neighbours = (1..<5).map { mark in memory?.allocate(byteCount: 1 << 20) { Self.mark($0, UInt8(mark)) } }
        let last = try #require(memory?.allocate(byteCount: 1000) { Self.mark($0, 9) })
        memory = nil
        neighbours = []
        #expect(neighbours.isEmpty)
        #expect(last.bytes.first == 9)
        #expect(last.bytes.last == 9)
    }

    private static func mark(_ bytes: UnsafeMutableRawBufferPointer, _ mark: UInt8) {
        guard !bytes.isEmpty else { return }
        bytes[0] = mark
        bytes[bytes.count - 1] = mark
    }
}
