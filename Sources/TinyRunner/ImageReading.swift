import TinyLayers
import TinyLoader
package import TinyModels
import TinyTensor

extension Model {
    /// The vector for an image.
    ///
    /// - Parameter pixels: `[channels, height, width]`, as the model wants them scaled and normalised.
    /// - Throws: `RunnerError` where the model reads no images, or wants another number of pixels.
    package func imageVector(_ pixels: [Float]) throws -> [Float] {
        guard let imageTransformer, case .patches(let stem) = imageTransformer.spec.stem else {
            throw RunnerError.noImages(family: family)
        }
        let count = stem.channels * stem.image * stem.image
        guard pixels.count == count else {
            throw RunnerError.badParameter(
                name: "the number of pixels", value: "\(pixels.count)", expected: "\(count)")
        }
        let spec = imageTransformer.spec
        let cache = KeyValueCache(spec: spec, capacity: stem.rows, precision: compute.precision)
        let scratch = Scratch(spec: spec, capacity: stem.rows, rows: stem.rows, logitRows: 0, compute: compute)
        return imageTransformer.forward(pixels: pixels, compute: compute, cache: cache, scratch: scratch)
    }

    /// Kinds of tokens that have a vector each; 1 where there is no such thing.
    var tokenTypes: Int { if case .tokens(let stem) = spec.stem { max(1, stem.types) } else { 1 } }
}

extension StoredTensor {
    /// An image's numbers in their order.
    func imageValues() throws -> [Float] { try matrix().floats() }
}
