import CTinyKernels
import Testing

@testable import TinyTensor

@Suite struct PackedMatrixTests {
    /// Where a matrix is packed portion by portion, the last one smaller than a panel, the bytes are those of one portion.
    @Test(arguments: [ElementType.q4_0, .q4K, .f16], 1...3)
    func portionsDoNotMatter(_ type: ElementType, threads: Int) throws {
        let pool = ThreadPool(threadCount: threads)
        let matrix = try MatMulTests.matrix(type, rows: 200, columns: 512)
        let whole = PackedMatrix(matrix, pool: pool)
        let expected = UnsafeRawBufferPointer(start: whole.packed.panels, count: whole.byteCount)
        for panels in [0, 1, 2, 5, 12, 13] {
            let packed = PackedMatrix(matrix, pool: pool, portionBytes: panels * whole.packed.panel_bytes)
            let found = UnsafeRawBufferPointer(start: packed.packed.panels, count: packed.byteCount)
            #expect(found.elementsEqual(expected), "\(panels) panels at a time")
        }
    }
}
