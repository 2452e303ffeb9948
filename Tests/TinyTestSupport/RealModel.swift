#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Models that people use, which `scripts/fetch_weights` fetches. Nil if one is not there, which tests must not pass over.
package enum RealModel {
    /// The default model: `TINYGPT_TEST_MODEL`, or the one in `weights/`.
    package static let path: String? =
        getenv("TINYGPT_TEST_MODEL").map { String(cString: $0) } ?? fetched("SmolLM2-135M-Instruct.Q4_1.gguf")

    package static let reference = Fixtures.path("smollm2/reference.safetensors")

    package static func fetched(_ name: String) -> String? {
        let path = Fixtures.folder + "/../../weights/" + name
        return access(path, F_OK) == 0 ? path : nil
    }
}
