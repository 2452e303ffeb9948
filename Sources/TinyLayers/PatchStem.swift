import CTinyKernels
import TinyTensor

/// How an image enters the residual stream: a vector for the whole, then one for each patch, row by row.
///
///     x[0]     = class + positions[0]
///     x[1 + p] = W · pixels of patch p + positions[1 + p]
///
/// Dosovitskiy et al. 2020, arXiv:2010.11929
struct PatchStem: Sendable {
    let spec: PatchStemSpec
    /// `[D, channels · patch²]`
    private let projection: Linear
    /// `[1, D]`
    private let whole: Matrix
    /// `[1 + patches, D]`
    private let positions: Matrix
    private let norm: Norm?

    init(_ spec: PatchStemSpec, width: Int, from weights: some WeightProvider) throws {
        self.spec = spec
        projection = try Linear(
            { .model(.patches, $0) }, rows: width, columns: spec.pixels, bias: false, from: weights)
        whole = try weights.matrix(.model(.classVector, .weight), rows: 1, columns: width)
        positions = try weights.matrix(.model(.positionTable, .weight), rows: spec.rows, columns: width)
        norm = try spec.norm.map { try Norm($0, { .model(.stemNorm, $0) }, width: width, from: weights) }
    }

    /// - Parameters:
    ///   - pixels: `[channels, image, image]`, as the model wants them normalised.
    ///   - x: `[1 + patches, D]`, overwritten.
    func callAsFunction(_ pixels: [Float], into x: Rows, _ context: ForwardContext) {
        precondition(pixels.count == spec.channels * spec.image * spec.image, "\(pixels.count) pixels")
        let patches = context.scratch.tableRows.rows(x.count - 1, width: spec.pixels)
        for p in 0..<patches.count { copy(pixels, patch: p, to: patches[p]) }
        whole.expand(row: 0, into: x[0])
        projection(patches, into: x.slice(1..<x.count), context)
        for row in 0..<x.count {
            tk_add_row(positions.type.kernelType, positions.row(row).baseAddress, x.width, x[row])
        }
        norm?(x, into: x, context.compute)
    }

    /// The pixels of one patch, channel by channel.
    private func copy(_ pixels: [Float], patch: Int, to row: UnsafeMutablePointer<Float>) {
        let (top, left) = (patch / spec.side * spec.patch, patch % spec.side * spec.patch)
        for channel in 0..<spec.channels {
            for y in 0..<spec.patch {
                for x in 0..<spec.patch {
                    row[(channel * spec.patch + y) * spec.patch + x] =
                        pixels[(channel * spec.image + top + y) * spec.image + left + x]
                }
            }
        }
    }
}

extension PatchStemSpec {
    /// Numbers of a patch.
    var pixels: Int { channels * patch * patch }
}
