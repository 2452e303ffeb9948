import COpenBLAS
import CTinyKernels
import Testing
import TinyTestSupport

@testable import TinyTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite struct BLASTests {
    /// Debian's OpenBLAS knows no newer Intel processor and takes it for one of 2004 unless we choose.
    @Test func coreType() {
        let chosen = BLAS.coreType.lowercased()
        if CPU.supported.contains(where: { $0.name == "avx512vnni" }) {
            #expect(chosen == "skylakex")
        } else if CPU.supported.contains(where: { $0.name == "avx2" }) {
            #expect(chosen == "sandybridge")
        }
    }

    @Test func coreTypeForAMachine() {
        #expect(BLAS.coreType(hasAVX512: true, hasAVX2: true) == "SKYLAKEX")
        #expect(BLAS.coreType(hasAVX512: false, hasAVX2: true) == "SANDYBRIDGE")
        #expect(BLAS.coreType(hasAVX512: false, hasAVX2: false) == nil)
    }

    /// The pool splits the work; threads of OpenBLAS' own would spin beside it.
    @Test func oneThread() {
        _ = BLAS.coreType
        #expect(openblas_get_num_threads() == 1)
    }

    @Test(arguments: [1, 3, 4, 8, 12, 17, 64], [1, 2, 7, 16, 33, 576, 1000]) func tile(_ outputs: Int, _ inputs: Int) {
        _ = BLAS.coreType
        var random = SplitMix64(seed: UInt64(outputs * 1000 + inputs))
        let rows = BLAS.tileRows
        let (x, w) = (
            AlignedFloats(random.floats(rows * inputs)), AlignedFloats(random.floats(outputs * inputs), offset: 4)
        )
        let y = AlignedFloats([Float](repeating: .nan, count: rows * outputs))
        BLAS.multiplyTile(x.base, w.base, outputs: outputs, inputs: inputs, into: y.base)
        let expected = InstructionSet.plain.multiply(x.base, rows, w.base, outputs, inputs)
        let (xs, ws) = (rowNorms(x.values, rows), rowNorms(w.values, outputs))
        expectClose(
            y.values, expected.map(Double.init), within: { gamma(inputs + 2) * xs[$0 / outputs] * ws[$0 % outputs] },
            BLAS.coreType)
    }
}
