import TinyLayers
import TinyModels
import TinyTensor
import TinyTokenizer

/// The work of an engine, turn by turn, on a thread of its own. A turn begins what waits, reads one chunk of prompts, and takes
/// every text that is being continued a token further: nobody waits longer than a chunk.
final class EngineLoop: @unchecked Sendable {
    private let model: Model
    private let tokenizer: Tokenizer
    private let plan: Engine.Plan
    private let chunk: Int
    private let inbox: EngineInbox
    private let beforePass: (@Sendable () -> Void)?
    private let reader: EngineReader
    private let slots: [EngineSlot]
    private var uses = 0
    private var passes = 0
    private var prefix: Int { model.spec.prefix }

    init(
        _ model: Model, _ tokenizer: Tokenizer, _ plan: Engine.Plan, chunk: Int, inbox: EngineInbox,
        beforePass: (@Sendable () -> Void)?
    ) {
        (self.model, self.tokenizer, self.plan, self.inbox) = (model, tokenizer, plan, inbox)
        self.beforePass = beforePass
        self.chunk = model.spec.seesAhead ? plan.context : min(chunk, plan.context)
        reader = EngineReader(model, slots: plan.slots, context: plan.context, chunk: chunk)
        slots = (0..<plan.slots).map { _ in
            EngineSlot(
                cache: KeyValueCache(
                    spec: model.spec, capacity: plan.context, precision: model.compute.precision))
        }
    }

    /// Works until it is stopped.
    func run() {
        while !inbox.isStopped {
            if turn() || settle() { continue }
            inbox.idle()
            inbox.wait()
        }
        for slot in slots { slot.text?.submission.fail(CancellationError()) }
        for submission in inbox.takeAll() { submission.fail(CancellationError()) }
        inbox.publish { ($0.reading, $0.decoding, $0.isDraining) = (0, 0, true) }
        inbox.idle()
    }

    /// - Returns: whether there was anything to do.
    private func turn() -> Bool {
        dropUnwanted()
        beginWaiting()
        let busy = slots.contains { $0.text != nil }
        if busy {
            readPrompts()
            decode()
        }
        publish()
        return busy
    }

    // MARK: Coming and going

    private func dropUnwanted() {
        for submission in inbox.takeLate() {
            if let limit = submission.passedLimit {
                submission.fail(EngineError.timeLimit(seconds: limit, isWaiting: true))
            }
        }
        for slot in slots {
            guard let submission = slot.text?.submission else { continue }
            if submission.isCancelled {
                release(slot) { $0.cancelled += 1 }
            } else if let limit = submission.passedLimit {
                release(slot) { $0.timedOut += 1 }
                submission.fail(EngineError.timeLimit(seconds: limit, isWaiting: false))
            }
        }
    }

    private func beginWaiting() {
        while slots.contains(where: { $0.text == nil }),
            let submission = inbox.takeNext(where: { !isBeingRead($0.request) })
        {
            begin(submission)
        }
    }

    private func begin(_ submission: EngineSubmission) {
        let request = submission.request
        guard let choice = PrefixChoice(request.prompt, slots: slots.map { view(of: $0, for: request) }) else { return }
        do {
            let text = try EngineText(submission, cachedTokens: choice.tokens, model: model, tokenizer: tokenizer)
            uses += 1
            slots[choice.slot].begin(
                text, with: choice.tokens, of: slots[choice.source], prefix: prefix, use: uses)
            inbox.publish {
                $0.totals.promptTokens += request.prompt.count
                $0.totals.cachedTokens += choice.tokens
            }
        } catch {
            submission.fail(error)
        }
    }

    private func view(of slot: EngineSlot, for request: Engine.Request) -> PrefixChoice.Slot {
        PrefixChoice.Slot(
            usable: slot.tokens.prefix(usable(slot, for: request)), held: slot.tokens.count, isFree: slot.text == nil,
            lastUse: slot.lastUse)
    }

    /// How many tokens of a slot a request may use.
    private func usable(_ slot: EngineSlot, for request: Engine.Request) -> Int {
        // Where tokens see what comes after them, a longer text is another one from its first token on.
        if request.promptCandidates != nil || model.spec.seesAhead { return 0 }
        switch request.reuse {
        case .nothing: return 0
        case .prompts: return model.spec.dependsOnLength ? 0 : slot.promptRows
        case .everything: return slot.tokens.count
        }
    }

    /// Whether a prompt that is being read begins like this one, so that waiting for it saves reading that again.
    private func isBeingRead(_ request: Engine.Request) -> Bool {
        if request.reuse == .nothing || request.promptCandidates != nil || model.spec.dependsOnLength { return false }
        let prompt = request.prompt.dropLast()
        func common(_ tokens: some Sequence<Int>) -> Int { zip(tokens, prompt).prefix { $0 == $1 }.count }
        let held = slots.map { common($0.tokens.prefix(usable($0, for: request))) }.max() ?? 0
        let promised =
            slots.compactMap { slot in
                slot.text.flatMap { $0.isReading && $0.request.promptCandidates == nil ? common($0.prompt) : nil }
            }.max() ?? 0
        return promised >= held + Self.worthWaiting
    }

    private static let worthWaiting = 32

    private func release(_ slot: EngineSlot, _ count: @Sendable (inout Engine.Status.Totals) -> Void) {
        let generated = slot.text?.progress.completion.tokens.count ?? 0
        slot.end(settles: !reader.phasesAgree, prefix: prefix)
        inbox.publish {
            $0.totals.generatedTokens += generated
            count(&$0.totals)
        }
        publish()
    }

    private func releaseFinished() {
        for slot in slots {
            guard let text = slot.text, text.isOver else { continue }
            release(slot) { $0.finished += 1 }
            text.tellEnd()
        }
    }

    // MARK: Passes

    /// One chunk of what is to be read, of as many prompts as fit it, the one that waited longest first.
    private func readPrompts() {
        let reading = slots.filter { $0.text?.isReading == true }
            .sorted { ($0.text?.lastPass ?? 0, $0.lastUse) < ($1.text?.lastPass ?? 0, $1.lastUse) }
        if reading.isEmpty { return }
        var parts: [EngineReader.Part] = []
        var texts: [EngineText] = []
        var (rows, tokens) = (0, 0)
        for slot in reading {
            guard let text = slot.text else { continue }
            let count = min(text.prompt.count - text.position, chunk - rows)
            // There is room for the keys of so many tokens side by side.
            if count == 0 || (!parts.isEmpty && (model.spec.readsAlone || model.spec.seesAhead)) { break }
            if !parts.isEmpty && tokens + text.position + count > plan.context { continue }
            parts.append(
                EngineReader.Part(
                    slot: slot, tokens: text.prompt[text.position..<text.position + count], length: text.prompt.count,
                    wanted: text.wantedRows(of: count)))
            texts.append(text)
            (rows, tokens) = (rows + count, tokens + text.position + count)
        }
        pass(parts, .prompt, texts)
        inbox.publish { $0.totals.promptPasses += 1 }
        for (part, text) in zip(parts, texts) {
            part.slot.took(part.tokens, asPrompt: true)
            text.lastPass = passes
            text.read(part.tokens.count)
        }
        releaseFinished()
    }

    /// A token more for every text that is being continued.
    private func decode() {
        var parts: [EngineReader.Part] = []
        var texts: [EngineText] = []
        for slot in slots {
            guard let text = slot.text, !text.isReading, let token = text.token else { continue }
            if slot.tokens.count >= plan.context {
                text.end(.contextFull)
                continue
            }
            parts.append(
                EngineReader.Part(slot: slot, tokens: [token], length: slot.tokens.count + 1, wanted: 0..<1))
            texts.append(text)
        }
        releaseFinished()
        if parts.isEmpty { return }
        pass(parts, .decode, texts)
        inbox.publish { $0.totals.decodePasses += 1 }
        for (part, text) in zip(parts, texts) {
            part.slot.took(part.tokens, asPrompt: reader.phasesAgree)
            text.stepped()
        }
        releaseFinished()
    }

    private func pass(_ parts: [EngineReader.Part], _ phase: Phase, _ texts: [EngineText]) {
        beforePass?()
        inbox.passBegins()
        defer { inbox.passEnded() }
        passes += 1
        let scores = PromptScores()
        reader.read(parts, phase) { part, row, logits in
            let text = texts[part]
            if phase == .decode {
                text.choose(from: logits)
            } else if let score = text.look(at: logits, behind: text.position + row) {
                scores.add(score, part: part, row: row)
            }
        }
        for (part, row, score) in scores.all { texts[part].keep(score, behind: texts[part].position + row) }
    }

    /// Reads a part of some answer again as a prompt would be, so that what follows it need not wait for that: a small part,
    /// as who comes meanwhile waits for it.
    private func settle() -> Bool {
        guard let slot = slots.first(where: { $0.text == nil && !$0.unsettled.isEmpty }) else { return false }
        let tokens = slot.settle(min(chunk, Self.settledAtOnce), prefix: prefix)
        beforePass?()
        inbox.passBegins()
        reader.read(
            [
                EngineReader.Part(
                    slot: slot, tokens: tokens[...], length: slot.tokens.count + tokens.count, wanted: 0..<0)
            ],
            .prompt
        ) { _, _, _ in }
        inbox.passEnded()
        slot.took(tokens, asPrompt: true)
        return true
    }

    private static let settledAtOnce = 64

    private func publish() {
        let reading = slots.count { $0.text?.isReading == true }
        let decoding = slots.count { $0.text?.isReading == false }
        let cached = slots.reduce(0) { $0 + $1.tokens.count }
        inbox.publish { ($0.reading, $0.decoding, $0.cachedTokens) = (reading, decoding, cached) }
    }
}
