/// A seeded generator: the same seed gives the same test on every machine. Steele et al. 2014, doi 10.1145/2660193.2660195
package struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in -1..<1, in steps of 2⁻²³.
    package mutating func unit() -> Float { Float(Int32(truncatingIfNeeded: next() >> 40) - (1 << 23)) * 0x1p-23 }

    package mutating func floats(_ count: Int, scale: Float = 1) -> [Float] { (0..<count).map { _ in unit() * scale } }

    package mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }

    /// Uniform enough in `0..<limit`.
    package mutating func below(_ limit: Int) -> Int { Int(next() >> 1) % limit }
}
