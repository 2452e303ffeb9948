import CTinyKernels
import Testing
import TinyTestSupport

@testable import TinyTensor

@Suite struct ElementTypeTests {
    /// Elements and bytes of a block, as the formats define them.
    @Test(arguments: [
        (ElementType.f32, 1, 4), (.f16, 1, 2), (.bf16, 1, 2), (.q8_0, 32, 34), (.q4_0, 32, 18), (.q4_1, 32, 20),
        (.q5_0, 32, 22), (.q5_1, 32, 24),
        (.q2K, 256, 84), (.q3K, 256, 110), (.q4K, 256, 144), (.q5K, 256, 176), (.q6K, 256, 210), (.iq4NL, 32, 18),
        (.iq4XS, 256, 136), (.mxfp4, 32, 17),
    ])
    func sizes(_ type: ElementType, _ elements: Int, _ bytes: Int) {
        #expect(type.blockElements == elements && type.blockBytes == bytes && type.isQuantized == (elements > 1))
        #expect(
            type.bytes(for: 0) == 0 && type.bytes(for: elements) == bytes && type.bytes(for: 7 * elements) == 7 * bytes)
        #expect(type.bytes(for: -elements) == nil && type.bytes(for: .min) == nil)
        if elements > 1 {
            #expect(
                type.bytes(for: 1) == nil && type.bytes(for: elements - 1) == nil
                    && type.bytes(for: elements + 1) == nil)
        }
        // The most that fits, and one block more.
        let (blocks, tooMany) = (Int.max / bytes, Int.max / bytes + 1)
        let (most, overflow) = blocks.multipliedReportingOverflow(by: elements)
        if !overflow { #expect(type.bytes(for: most) == blocks * bytes) }
        let (above, overflowToo) = tooMany.multipliedReportingOverflow(by: elements)
        if !overflowToo { #expect(type.bytes(for: above) == nil) }
        #expect(elements > bytes || type.bytes(for: Int.max / elements * elements) == nil)
    }

    @Test func allAreNamed() {
        #expect(ElementType.allCases.count == 16)
        #expect(Set(ElementType.allCases.map(\.kernelType.rawValue)).count == 16)
        #expect(ElementType(rawValue: "Q4_K") == .q4K)
    }
}

@Suite struct MatrixTests {
    /// `rows` by `columns` floats 0, 1, 2 …
    private func counted(_ rows: Int, _ columns: Int) -> Matrix {
        let values = (0..<rows * columns).map(Float.init)
        let storage = Storage.allocate(byteCount: values.count * 4) { memory in
            values.withUnsafeBytes { memory.copyMemory(from: $0) }
        }
        return Matrix(type: .f32, rows: rows, columns: columns, storage: storage)
    }

    /// Blocks of Q8_0 whose codes are the number of their row.
    private func quantized(_ rows: Int) -> Matrix {
        let bytes = (0..<rows).flatMap { row in
            [UInt8](arrayLiteral: 0, 0x3C) + [UInt8](repeating: UInt8(row), count: 32)
        }
        return Matrix(
            type: .q8_0, rows: rows, columns: 32,
            storage: .allocate(byteCount: bytes.count) { $0.copyBytes(from: bytes) })
    }

    @Test func slice() {
        let matrix = counted(4, 3)
        let slice = matrix.slice(1..<3)
        #expect(slice.rows == 2 && slice.columns == 3 && slice.storage === matrix.storage)
        #expect(slice.floats() == [3, 4, 5, 6, 7, 8])
        #expect(slice.slice(1..<2).floats() == [6, 7, 8])
        #expect(matrix.slice(4..<4).floats() == [] && matrix.slice(0..<0).rows == 0)
        #expect(
            quantized(5).slice(2..<4).floats() == [Float](repeating: 2, count: 32) + [Float](repeating: 3, count: 32))
    }

    @Test func reordered() {
        #expect(counted(3, 2).reordered([2, 0, 1, 0]).floats() == [4, 5, 0, 1, 2, 3, 0, 1])
        #expect(
            quantized(3).reordered([2, 1]).floats() == [Float](repeating: 2, count: 32)
                + [Float](repeating: 1, count: 32))
        #expect(counted(3, 2).reordered([]).floats() == [])
    }

    @Test(arguments: [(1, 1), (1, 5), (5, 1), (3, 4), (17, 9)]) func transposed(_ rows: Int, _ columns: Int) {
        let matrix = counted(rows, columns)
        let transposed = matrix.transposed()
        #expect(transposed.rows == columns && transposed.columns == rows)
        #expect(transposed.floats() == (0..<columns).flatMap { j in (0..<rows).map { Float($0 * columns + j) } })
        #expect(transposed.transposed().floats() == matrix.floats())
    }

    @Test func transposedHalves() {
        let bits: [UInt16] = [0x3F80, 0x4000, 0x4040, 0x4080, 0x40A0, 0x40C0]  // 1 to 6 as BF16
        let storage = Storage.allocate(byteCount: 12) { memory in bits.withUnsafeBytes { memory.copyMemory(from: $0) } }
        let matrix = Matrix(type: .bf16, rows: 2, columns: 3, storage: storage)
        #expect(matrix.transposed().floats() == [1, 4, 2, 5, 3, 6])
        #expect(matrix.transposed().slice(1..<2).floats() == [2, 5])
    }

    @Test func rowsAreExpanded() {
        var values = [Float](repeating: .nan, count: 32)
        quantized(4).expand(row: 3, into: &values)
        #expect(values == [Float](repeating: 3, count: 32))
        #expect(counted(2, 3).row(1).count == 12)
    }

    @Test func emptyMatrices() {
        for (rows, columns) in [(0, 4), (4, 0), (0, 0)] {
            let matrix = counted(rows, columns)
            #expect(matrix.floats() == [] && matrix.transposed().floats() == [] && matrix.byteCount == 0)
        }
    }

    /// The last row of a storage may end with it; one byte less is our own mistake, and traps.
    @Test func outsideTheStorageTraps() async {
        await #expect(processExitsWith: .failure) {
            _ = Matrix(type: .f32, rows: 2, columns: 2, storage: .allocate(byteCount: 15) { _ in })
        }
        await #expect(processExitsWith: .failure) {
            _ = Matrix(type: .q8_0, rows: 1, columns: 33, storage: .allocate(byteCount: 100) { _ in })
        }
    }
}

@Suite struct RowsTests {
    @Test func viewsOfABuffer() {
        let buffer = RowBuffer(capacity: 12)
        let rows = buffer.rows(3, width: 4)
        #expect(rows.values == [Float](repeating: 0, count: 12) && UInt(bitPattern: rows.base).isMultiple(of: 64))
        for i in 0..<12 { rows.base[i] = Float(i) }
        #expect(rows[2][1] == 9 && rows.slice(1..<3).values == [4, 5, 6, 7, 8, 9, 10, 11])
        rows.slice(1..<2).copy(from: rows.slice(2..<3))
        #expect(rows.values == [0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11])
        let others = RowBuffer(capacity: 12)
        for i in 0..<12 { others.base[i] = Float(100 * i) }
        for threads in [1, 2] {
            rows.add(others.rows(3, width: 4), Compute(precision: .exact, threads: threads, kernels: CPU.supported[0]))
        }
        #expect(rows.values == [0, 201, 402, 603, 808, 1009, 1210, 1411, 1608, 1809, 2010, 2211])
        #expect(rows.withRow(1) { $0[3] } == 1411)
        _ = buffer.rows(0, width: 100)
    }
}
