import TinyLayers
public import TinyModels
import TinyTensor

extension Model {
    /// Reads a text and records how likely each token was, what was expected in its place, what each layer would have said
    /// and where each head looked; then goes on as far as asked, by the likeliest token each time.
    ///
    /// It takes as much memory as is recorded; logits are held for some tokens at a time only.
    ///
    /// - Parameters:
    ///   - text: what the model wants in front of every text is put there.
    ///   - onProgress: told how many tokens have been read.
    /// - Throws: `RunnerError` if the text is empty or does not fit the model's context, an option asks for what the model
    ///   does not have, or logits are no numbers; what `tokenizer` throws if there is none.
    public func trace(
        _ text: String, _ options: TraceOptions = TraceOptions(), onProgress: (Int) -> Void = { _ in }
    ) throws -> Trace {
        try trace(tokens: tokens(text), options, onProgress: onProgress)
    }

    /// The same for a text that is tokens already, with what the model wants in front.
    public func trace(
        tokens: [Int], _ options: TraceOptions = TraceOptions(), onProgress: (Int) -> Void = { _ in }
    ) throws -> Trace {
        guard spec.continues else { throw RunnerError.noContinuation(family: family) }
        if spec.seesAhead && options.scoresText { throw RunnerError.seesAhead(family: family) }
        if let limit = contextLimit, tokens.count > limit {
            throw RunnerError.contextTooLong(limit: limit, wanted: tokens.count)
        }
        let recorder = try TraceRecorder(tokens, options, self)
        let probe = recorder.probe
        var decoder = Decoder(
            model: self, capacity: TraceRecorder.length(tokens.count, options.steps, self),
            chunk: options.scoresText ? Decoder.rowsOfLogits(spec.vocabulary) : nil, allLogits: options.scoresText)
        try decoder.checkFits(tokens, probe: probe)
        if options.scoresText {
            try decoder.readAll(tokens, probe: probe) { first, rows in
                try recorder.take(
                    UnsafeBufferPointer(start: rows.base, count: rows.count * rows.width).span, first: first)
                onProgress(first + rows.count)
            }
        } else {
            try decoder.read(tokens, probe: probe) { try recorder.take($0, first: tokens.count - 1) }
        }
        try walk(&decoder, recorder, options.steps, probe)
        return recorder.trace
    }

    private func walk(_ decoder: inout Decoder, _ recorder: TraceRecorder, _ steps: Int, _ probe: Probe?) throws {
        if steps == 0 { return }
        for _ in 0..<steps {
            guard let likeliest = recorder.choose() else { return recorder.stop(.contextFull) }
            if endOfText.contains(likeliest) { return recorder.stop(.endOfText) }
            if decoder.count == decoder.capacity { return recorder.stop(.contextFull) }
            let last = recorder.trace.tokens.count - 1
            try decoder.step(likeliest, probe: probe) { try recorder.take($0, first: last) }
        }
        recorder.stop(.maxTokens)
    }
}

extension Decoder {
    /// How many rows of logits to hold at a time: they are wide, and no more of them than take 64 MB.
    static func rowsOfLogits(_ vocabulary: Int) -> Int { max(16, min(256, (1 << 24) / max(1, vocabulary))) }
}
