#if canImport(CryptoKit)
    import CryptoKit
    import Foundation
#else
    import COpenSSL
#endif

/// The hash by which a policy names a script that may run: SHA-256 by the system's library, CryptoKit or OpenSSL's libcrypto.
enum ContentHash {
    /// As a Content-Security-Policy names a script or style of these characters: `sha256-` and the hash in base 64. `none`,
    /// which names nothing, where a library was built without this algorithm.
    static func source(of text: String) -> String {
        let bytes = Array(text.utf8)
        #if canImport(CryptoKit)
            return "sha256-" + Data(SHA256.hash(data: bytes)).base64EncodedString()
        #else
            var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
            var count: UInt32 = 0
            guard EVP_Digest(bytes, bytes.count, &digest, &count, EVP_sha256(), nil) == 1, count == 32 else {
                return "none"
            }
            // Four letters for three bytes, and a zero.
            var letters = [UInt8](repeating: 0, count: 45)
            let length = Int(EVP_EncodeBlock(&letters, digest, Int32(count)))
            return "sha256-" + String(decoding: letters.prefix(length), as: UTF8.self)
        #endif
    }
}
