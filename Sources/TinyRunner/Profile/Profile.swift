import CTinyKernels
import TinyLayers
public import TinyModels
import TinyTensor

/// Where the time of a decoder goes, by kernel, layer and thread.
///
/// ```swift
/// let profile = try Profile(model)
/// var decoder = model.decoder(capacity: 2048)
/// try decoder.attach(profile)
/// try decoder.read(model.tokens("Once upon a time")) { logits in … }
/// for kernel in profile.report().prompt.kernels { print(kernel.name, kernel.seconds) }
/// ```
///
/// It belongs to one task at a time. A decoder without one runs as if there were none: kernels are not asked whether
/// they are recorded, there are others that are.
public final class Profile {
    let model: Model
    /// The model's own, but for kernels that record.
    let compute: Compute
    let recorder: Recorder
    private(set) var isOpen = false

    /// What is done besides kernels.
    public enum Activity: Sendable {
        case sampling
        /// Text to tokens and back.
        case tokenizer
    }

    /// - Parameters:
    ///   - events: how many single events are kept for each thread, for a trace; what comes later is only summed up. An
    ///     event takes 48 bytes, a token some twenty events a layer.
    /// - Throws: `RunnerError.noMemory`.
    public init(_ model: Model, events: Int = 0) throws(RunnerError) {
        guard (0...(1 << 26)).contains(events) else {
            throw .badParameter(name: "events", value: "\(events)", expected: "a number from 0 to \(1 << 26)")
        }
        guard let (compute, recorder) = model.compute.recording(layers: model.spec.layers.count, events: events) else {
            throw .noMemory(what: "\(events) events for each of \(model.threads) threads")
        }
        self.model = model
        self.compute = compute
        self.recorder = recorder
    }

    /// All that `body` takes counts as reading a prompt, or as decoding: also what is between a decoder's passes, which
    /// count by themselves otherwise.
    public func measure<R>(_ phase: ProfilePhase, _ body: () throws -> R) rethrows -> R {
        precondition(!isOpen, "a section of a profile in another")
        return try section(phase == .prompt ? .prompt : .decode, body)
    }

    /// Time inside a section that is neither a kernel's nor unexplained.
    public func measure<R>(_ activity: Activity, _ body: () throws -> R) rethrows -> R {
        guard isOpen else { return try body() }
        recorder.recording.begin(activity == .sampling ? TK_SPAN_SAMPLING : TK_SPAN_TOKENIZER)
        defer { recorder.recording.end() }
        return try body()
    }

    /// One pass through the layers.
    func pass<R>(_ phase: Phase, _ body: () -> R) -> R {
        guard isOpen else { return section(phase) { pass(phase, body) } }
        recorder.recording.begin(TK_SPAN_PASS)
        defer { recorder.recording.end() }
        return body()
    }

    private func section<R>(_ phase: Phase, _ body: () throws -> R) rethrows -> R {
        let recording = recorder.recording
        isOpen = true
        recording.enter()
        recording.section(phase)
        recording.begin(TK_SPAN_SECTION)
        defer {
            recording.end()
            recording.leave()
            isOpen = false
        }
        return try body()
    }

    /// Forgets all that was recorded.
    public func clear() {
        precondition(!isOpen, "a profile is cleared in a section")
        recorder.clear()
    }
}

/// What a section of a profile is about.
public enum ProfilePhase: String, Sendable, CaseIterable {
    case prompt
    case decode
}
