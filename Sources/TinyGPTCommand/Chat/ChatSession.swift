import ArgumentParser
import Foundation
import Synchronization
import TinyGPT

/// A chat as the command leads it: what was typed goes in, answers and notes come out.
struct ChatSession {
    let chat: Chat
    let capacity: Int
    private let sampling: Sampling
    private let stops: [String]
    private let maxTokens: Int
    private let showsConfidence: Bool
    private let isJSON: Bool
    var style = TerminalStyle.current()
    var report = ChatReport()
    /// Whether someone sits before it; else notes must stay out of the output.
    private var isInteractive = false
    private var replies: UInt64 = 0
    /// A message that did not fit, and how many turns to drop for it.
    private var pending: (request: Chat.Request, turns: Int)?
    /// Files that this chat has written or read itself.
    private var ownFiles: Set<String> = []

    private static let usualCandidates = 3

    init(
        _ chat: Chat, capacity: Int, sampling: Sampling, stops: [String], maxTokens: Int, showsConfidence: Bool,
        isJSON: Bool
    ) {
        (self.chat, self.capacity, self.sampling, self.stops) = (chat, capacity, sampling, stops)
        (self.maxTokens, self.showsConfidence, self.isJSON) = (maxTokens, showsConfidence, isJSON)
    }

    // MARK: On a terminal

    mutating func talk(keepsHistory: Bool) throws {
        isInteractive = true
        var prompt = ChatPromptLine(keepsHistory: keepsHistory) { Output.error("warning: \($0)\n") }
        Interruption.watchAgain()
        note("\(model), room for \(capacity) tokens\n/help lists the commands, Ctrl-D ends the chat")
        if showsConfidence { Output.terminal(ReplyText.legend(style).wrapped(to: style.width) + "\n") }
        try tellLoaded()
        while !Interruption.endsProcess, let input = try prompt.next({ note($0) }) {
            style = TerminalStyle.current()
            Interruption.watchAgain()
            let quiet = QuietInput()
            defer { withExtendedLifetime(quiet) {} }
            do {
                if try perform(ChatAction(input)) { return }
            } catch let error where !(error is CancellationError) {
                complain("\(error)")
            }
        }
        if Interruption.endsProcess { throw ExitCode(1) }
    }

    // MARK: From a pipe

    mutating func answerInput() throws {
        var lines = InputLines()
        var reader = MessageReader()
        do {
            if showsConfidence { note(ReplyText.legend(style)) }
            while true {
                let line = try lines.next()
                if line == nil && reader.isInBlock {
                    throw Failure("standard input ends inside a block; a line with \"\"\" is expected")
                }
                if let input = line.map({ reader.take($0) }) ?? reader.finish(), !input.isEmpty {
                    do {
                        if try perform(ChatAction(input)) { break }
                    } catch let error where !(error is CancellationError) && !(error is ExitCode) {
                        throw Failure("standard input, line \(lines.number): \(error)")
                    }
                }
                if line == nil { break }
            }
        } catch {
            report.error = error is CancellationError ? "interrupted" : "\(error)"
            try finish()
            if error is CancellationError { throw ExitCode(1) }
            throw error
        }
        try finish()
    }

    private mutating func finish() throws {
        if !isJSON { return }
        let chat = chat
        report.messages = try TaskRunner.wait { await chat.messages }
        report.context = capacity
        report.peak_memory_bytes = peakMemory()
        try Output.json(report)
    }

    // MARK: What is done

    /// - Returns: whether the chat is to end.
    private mutating func perform(_ action: ChatAction) throws -> Bool {
        let chat = chat
        switch action {
        case .say(let text): try answer(.message(text))
        case .regenerate: try answer(.again)
        case .drop(let count): try drop(count)
        case .system(nil):
            let instructions = try TaskRunner.wait { await chat.instructions }
            note(instructions.map { "The model is told: \($0.visibleLines)" } ?? "There are no instructions.")
        case .system(let text):
            try TaskRunner.wait { try await chat.setInstructions(text) }
            note("The instructions are changed; the conversation stays.")
        case .reset:
            try TaskRunner.wait { try await chat.reset() }
            pending = nil
            let keeps = try TaskRunner.wait { await chat.instructions != nil }
            note("The conversation begins anew\(keeps ? "; the instructions stay" : "").")
        case .save(let file): try save(file.expandingHome)
        case .load(let file):
            let transcript = try Chat.Transcript(at: file.expandingHome)
            try TaskRunner.wait { try await chat.restore(transcript) }
            (pending, ownFiles) = (nil, ownFiles.union([file.expandingHome]))
            try tellLoaded()
        case .stats: try tellStatistics()
        case .candidates(let count): try tellCandidates(count ?? Self.usualCandidates)
        case .help: note(ChatAction.listing.trimmed)
        case .quit: return true
        }
        return false
    }

    private mutating func answer(_ request: Chat.Request) throws {
        let chat = chat
        let options = Chat.ReplyOptions(
            nextSampling(), maxTokens: maxTokens, stops: stops, candidates: ChatAction.mostCandidates,
            keepsStopped: true)
        let printer = ReplyPrinter(ReplyText(style, showsConfidence: showsConfidence), isSilent: isJSON)
        Interruption.watchAgain()
        defer { if !isInteractive { Interruption.unwatch() } }
        let completion: Completion
        do {
            completion = try TaskRunner.wait { try await chat.answer(request, options) { printer.take($0) } }
        } catch let error as ChatError {
            guard case .tooLong(_, _, let turns?) = error else { throw error }
            pending = (request, turns)
            throw Failure(
                isInteractive
                    ? "\(error). /drop \(turns) drops them, and sends the message again"
                    : "\(error). A line /drop \(turns) before the message drops them")
        } catch is CancellationError {
            printer.end()
            if !isInteractive { throw CancellationError() }
            return note("Stopped before the first word; the message was not entered.")
        }
        pending = nil
        try printer.finish()
        if isJSON || !isInteractive {
            let asked = try TaskRunner.wait { await chat.messages.last { $0.role == .user }?.text ?? "" }
            report.turns.append(.init(asked, completion, withProbabilities: showsConfidence))
        }
        switch completion.stopReason {
        case .cancelled:
            if !isInteractive { throw CancellationError() }
            note("Stopped; what was said stays.")
        case .maxTokens: note("Cut at \(completion.completionTokens) tokens (--max-tokens).")
        case .contextFull:
            note("Cut, for the context is full at \(capacity) tokens; /drop forgets the oldest turns.")
        case .endOfText, .stopString: break
        }
        if isInteractive { Output.terminal("\n") }
    }

    /// With one seed every answer would be chosen by the same numbers.
    private mutating func nextSampling() -> Sampling {
        var sampling = sampling
        sampling.seed = sampling.seed.map { $0 &+ replies }
        replies += 1
        return sampling
    }

    private mutating func drop(_ count: Int?) throws {
        let chat = chat
        let waiting = pending
        let count = count ?? waiting?.turns ?? 1
        let dropped = try TaskRunner.wait { try await chat.dropOldestTurns(count) }
        let width = max(20, style.width - 4)
        let questions = dropped.filter { $0.role == .user }.map { "\n  \($0.text.visible.cut(to: width))" }
        note("Forgotten:\(questions.joined())")
        guard let waiting else { return }
        pending = nil
        note("The message is sent again.")
        try answer(waiting.request)
    }

    private mutating func save(_ path: String) throws {
        let chat = chat
        let transcript = try TaskRunner.wait { await chat.transcript }
        // Only a conversation gives way to a conversation.
        var replaces = ownFiles.contains(path)
        if !replaces, FileManager.default.fileExists(atPath: path) {
            guard (try? Chat.Transcript(at: path)) != nil else {
                throw Failure("\(path): is there already and holds no conversation; give another name")
            }
            replaces = true
        }
        try transcript.write(to: path, replaces: replaces)
        ownFiles.insert(path)
        note("Saved: \(path.visible), \(Self.count(transcript.messages.count, "message")).")
    }

    // MARK: What is told

    private var model: String { (chat.model.path as NSString).lastPathComponent.visible }

    private func tellLoaded() throws {
        let chat = chat
        let messages = try TaskRunner.wait { await chat.messages }
        if messages.contains(where: { $0.role != .system }) {
            note("The conversation has \(Self.count(messages.count, "message")).")
            if messages.last?.role == .user { note("The last has no answer yet: /regenerate gives one.") }
        }
    }

    private func tellStatistics() throws {
        let chat = chat
        let (held, totals, last, plan) = try TaskRunner.wait {
            (try await chat.tokenCount, await chat.totals, await chat.lastReply, try await chat.engine.plan)
        }
        var rows = [("tokens held", "\(held) of \(capacity)")]
        if let last {
            rows.append(("last answer", "\(last.completionTokens) tokens, \(last.decodeTokensPerSecond.fixed(1))/s"))
            rows.append(
                (
                    "its prompt",
                    "\(last.readTokens) read\(last.readTokens > 0 ? ", \(last.prefillTokensPerSecond.fixed(1))/s" : ""), \(last.cachedTokens) in the cache"
                ))
        }
        rows.append(("all answers", "\(totals.replies), with \(Self.count(totals.generatedTokens, "token"))"))
        rows.append(
            ("all prompts", "\(totals.readTokens) read, \(totals.promptTokens - totals.readTokens) in the cache"))
        rows.append(("memory", "\(size(peakMemory())) at most"))
        rows.append(("planned", "weights \(size(plan.weightBytes)), cache \(size(plan.cacheBytes))"))
        note(rows.map { "\($0.0.padded(to: 13))\($0.1)" }.joined(separator: "\n"))
    }

    private func tellCandidates(_ count: Int) throws {
        let chat = chat
        guard let reply = try TaskRunner.wait({ await chat.lastReply }), !reply.scored.isEmpty else {
            throw Failure("there is no answer yet whose tokens could be shown")
        }
        let table = CandidatesTable(tokenizer: try chat.model.tokenizer, width: style.width)
        note(String(table.text(reply.scored, count).dropLast()))
    }

    /// A line that is no part of the conversation.
    private func note(_ text: String) {
        if isInteractive {
            Output.terminal(style.colored(text.wrapped(to: style.width), .faint) + "\n")
        } else {
            Output.error(text + "\n")
        }
    }

    private func complain(_ text: String) { Output.error("Error: \(text)".wrapped(to: style.width) + "\n") }

    private static func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
}

/// Writes an answer as it comes.
final class ReplyPrinter: Sendable {
    private struct State {
        var text: ReplyText
        var hasText = false
        var endsLine = false
        var failure: (any Error)?
    }

    private let state: Mutex<State>
    private let isSilent: Bool
    private let progress = Progress()
    /// Prompts shorter than this are read before anyone wonders.
    private static let shortPrompt = 512

    init(_ text: ReplyText, isSilent: Bool) {
        state = Mutex(State(text: text))
        self.isSilent = isSilent
    }

    func take(_ event: Chat.Event) {
        switch event {
        case .read(let tokens, let total):
            if total - tokens >= Self.shortPrompt { progress.show("Reading: \(tokens) of \(total) tokens") }
        case .piece(let piece):
            state.withLock { state in
                let text = state.text.take(piece)
                if text.isEmpty || isSilent || state.failure != nil { return }
                if !state.hasText { progress.clear() }
                (state.hasText, state.endsLine) = (true, text.hasSuffix("\n"))
                do { try Output.print(text) } catch {
                    state.failure = Failure("the answer cannot be written: \(error.localizedDescription)")
                }
            }
        case .finished: break
        }
    }

    /// Nothing was said.
    func end() { progress.clear() }

    /// Ends the last line.
    ///
    /// - Throws: what kept the answer from being written.
    func finish() throws {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            if !state.hasText { progress.clear() }
            // On a terminal a line's end of the answer's own will do.
            if !isSilent && !(state.endsLine && state.text.style.isTerminal) { try Output.print("\n") }
        }
    }
}
