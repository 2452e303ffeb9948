import COpenBLAS
import CTinyKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// OpenBLAS, for machines that our own vector kernels do not cover, and always on one thread: the pool splits the work.
package enum BLAS {
    /// The core type whose kernels OpenBLAS runs, after the choice was made.
    package static let coreType: String = {
        // OpenBLAS chooses when it is loaded, before our first line runs, and versions before 0.3.25 take newer Intel
        // processors for one of 2004. So the choice is made again, whatever the environment says: with some core types
        // a row's result depends on its neighbours.
        if let better = coreType(hasAVX512: has("avx512vnni"), hasAVX2: has("avx2")) {
            let given = getenv("OPENBLAS_CORETYPE").map { String(cString: $0) }
            setenv("OPENBLAS_CORETYPE", better, 1)
            _ = tiny_openblas_choose_again()
            // Nobody we start should inherit it.
            if let given { setenv("OPENBLAS_CORETYPE", given, 1) } else { unsetenv("OPENBLAS_CORETYPE") }
        }
        openblas_set_num_threads(1)
        return tiny_openblas_core_type().map { String(cString: $0) } ?? "unknown"
    }()

    /// The core type to ask for; nil where OpenBLAS' own choice is as good. Not Haswell or Zen, whose kernels sum a row
    /// in another order when it stands elsewhere in a tile, or when there are fewer outputs.
    static func coreType(hasAVX512: Bool, hasAVX2: Bool) -> String? {
        hasAVX512 ? "SKYLAKEX" : hasAVX2 ? "SANDYBRIDGE" : nil
    }

    private static func has(_ name: String) -> Bool { CPU.supported.contains { $0.name == name } }

    /// Rows handed to `sgemm` at a time. Its order of summation varies with the number of rows, so that number is
    /// always this one, the last rows filled up with others' leftovers: a row's result depends on that row alone.
    static let tileRows = 16

    /// `y[i][j] = Σ_k x[i][k] · w[j][k]` for one tile of rows.
    static func multiplyTile(
        _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, outputs n: Int, inputs k: Int,
        into y: UnsafeMutablePointer<Float>
    ) {
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, blasint(tileRows), blasint(n), blasint(k), 1, x, blasint(k), w,
            blasint(k), 0, y, blasint(n))
    }
}
