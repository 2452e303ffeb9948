#if canImport(CryptoKit)
    import CryptoKit
#else
    import COpenSSL
#endif

/// SHA-256 of bytes, by the system's library: CryptoKit, or OpenSSL's libcrypto.
struct Fingerprint {
    /// 64 hexadecimal digits, as `sha256sum` prints them.
    let text: String

    /// - Throws: `Failure` if the library gives none, as one that was built without this algorithm.
    init(_ bytes: UnsafeRawBufferPointer) throws {
        #if canImport(CryptoKit)
            let digest = Array(SHA256.hash(data: bytes))
        #else
            var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
            var count: UInt32 = 0
            guard EVP_Digest(bytes.baseAddress, bytes.count, &digest, &count, EVP_sha256(), nil) == 1, count == 32
            else {
                throw Failure("the system's libcrypto gives no SHA-256")
            }
            digest.removeLast(digest.count - 32)
        #endif
        let digits = Array("0123456789abcdef".utf8)
        text = String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
