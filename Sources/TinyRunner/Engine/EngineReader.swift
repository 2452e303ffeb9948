import Synchronization
import TinyLayers
import TinyModels
import TinyTensor

/// The passes of an engine: parts of several texts through the model at once, and a token for each that goes on.
struct EngineReader {
    /// The next tokens of a slot's text.
    struct Part {
        let slot: EngineSlot
        let tokens: ArraySlice<Int>
        /// Tokens of the text as a whole, as far as they are known.
        let length: Int
        /// Rows of the part whose logits are wanted.
        let wanted: Range<Int>
    }

    let model: Model
    let scratch: Scratch
    /// Whether what decoding puts into the cache is the same, to the bit, as what reading a prompt does.
    let phasesAgree: Bool

    init(_ model: Model, slots: Int, context: Int, chunk: Int) {
        self.model = model
        let rows = Engine.Plan.rows(model.spec, slots: slots, context: context, chunk: chunk)
        scratch = Scratch(
            spec: model.spec, capacity: context, rows: rows,
            logitRows: Engine.Plan.logitRows(model.spec, slots: slots, rows: rows), texts: slots,
            compute: model.compute)
        phasesAgree = model.compute.kernels.hasVectors && !model.roundsPrompts
    }

    /// Reads parts, and shows the logits behind their wanted rows: for different rows by several threads.
    ///
    /// - Precondition: one part only, where the model's texts are read alone.
    func read(_ parts: [Part], _ phase: Phase, _ body: @Sendable (_ part: Int, _ row: Int, Span<Float>) -> Void) {
        let tokens = parts.flatMap(\.tokens)
        var wanted: [(part: Int, row: Int)] = []
        var rows: [Int] = []
        var first = 0
        for (index, part) in parts.enumerated() {
            for row in part.wanted {
                wanted.append((index, row))
                rows.append(first + row)
            }
            first += part.tokens.count
        }
        let all = wanted
        func show(_ first: Int, _ logits: Rows) {
            model.compute.pool.forRanges(of: logits.count) { range in
                for row in range {
                    let (part, token) = all[first + row]
                    logits.withRow(row) { body(part, token, $0) }
                }
            }
        }
        tokens.withUnsafeBufferPointer { buffer in
            if model.spec.readsAlone {
                readAlone(parts[0], buffer, phase, show)
            } else {
                let texts = PackedTexts(continuing: parts.map { ($0.slot.cache, $0.tokens.count, $0.length) })
                model.transformer.forward(
                    buffer, texts: texts, logitsOf: rows, phase: phase, compute: model.compute, scratch: scratch, show)
            }
        }
    }

    private func readAlone(
        _ part: Part, _ tokens: UnsafeBufferPointer<Int>, _ phase: Phase, _ show: (Int, Rows) -> Void
    ) {
        let wanted: Transformer.LogitRows =
            part.wanted.isEmpty
            ? .none : part.wanted.count == 1 && part.wanted.upperBound == tokens.count ? .last : .all
        let logits = model.transformer.forward(
            tokens, length: part.length, logits: wanted, phase: phase, compute: model.compute, cache: part.slot.cache,
            scratch: scratch)
        if wanted != .none { show(0, logits) }
    }
}

/// What several threads find out about the tokens of prompts.
final class PromptScores: Sendable {
    typealias Entry = (part: Int, row: Int, score: ScoredToken)
    private let entries = Mutex<[Entry]>([])

    func add(_ score: ScoredToken, part: Int, row: Int) { entries.withLock { $0.append((part, row, score)) } }
    var all: [Entry] { entries.withLock(\.self) }
}
