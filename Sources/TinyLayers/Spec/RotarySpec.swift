/// Rotation of queries and keys by their position.
///
/// Su et al. 2021, arXiv:2104.09864
public struct RotarySpec: Hashable, Sendable, Codable {
    /// Elements of a head that turn, the first ones; the rest stay.
    public var width: Int
    public var pairing: Pairing
    /// θ
    public var base: Double
    public var scaling: Scaling

    public enum Pairing: String, Hashable, Sendable, Codable {
        /// Element i turns with element i + width / 2.
        case halves
        /// Element 2i turns with element 2i + 1.
        case neighbours
    }

    /// How frequencies are bent for contexts longer than the model was first trained for.
    public enum Scaling: Hashable, Sendable, Codable {
        case none
        /// Chen et al. 2023, arXiv:2306.15595.
        case linear(factor: Double)
        /// Long waves are slowed by `factor`, short ones are left, those between are blended.
        case byWavelength(factor: Double, lowFactor: Double, highFactor: Double, originalContext: Int)
        /// Peng et al. 2023, arXiv:2309.00071. `rounds`: the ends of the ramp are rounded to whole dimensions.
        case yarn(
            factor: Double, fastRotations: Double, slowRotations: Double, originalContext: Int, rounds: Bool,
            magnitude: Double)
        /// The base grows once the text is longer than the original context.
        case dynamic(factor: Double, originalContext: Int)
        /// The base grows in steps, at every doubling of the prompt's length, and stays while it is continued.
        case dynamicSteps(originalContext: Int)
        /// Each frequency divided by a number that the file gives; cosines and sines multiplied by `magnitude`.
        case perFrequency(divisors: [Float], magnitude: Double)
        /// Divisors for texts up to the original context, and others for longer ones: Ding et al. 2024, arXiv:2402.13753.
        case byLength(short: [Float], long: [Float], originalContext: Int, magnitude: Double)
    }

    public init(width: Int, pairing: Pairing, base: Double, scaling: Scaling) {
        self.width = width
        self.pairing = pairing
        self.base = base
        self.scaling = scaling
    }
}
