import ArgumentParser
import Foundation
import TinyGPT

struct Converse: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Talk with a model.",
        discussion: """
            On a terminal: a line is a message, and /help lists the commands. A line that ends in \\ goes on in the next, \
            and \""" begins and ends a message of many lines. Ctrl-C stops an answer and keeps what was said; Ctrl-D ends \
            the chat. What was typed is kept for the arrow keys in $XDG_STATE_HOME/tinygpt/chat_history.

            From a pipe or a file: the same lines and commands. Answers go to standard output, all else to standard error, \
            and the first thing that fails ends the run. With --json one object follows at the end of input instead.

            Without --temperature it is 0.7; 0 takes the likeliest token each time. With --seed the first answer has that \
            seed, and every further one the next number.

            Examples:
              tinygpt chat --system "Answer in one sentence."
              tinygpt chat --load evening.json --confidence
              printf 'Hello\\nWho are you?\\n' | tinygpt chat --temperature 0 --json
            """)

    @OptionGroup var options: ModelOptions
    @OptionGroup var sampling: SamplingOptions

    @Option(help: ArgumentHelp("What the model is told before the conversation.", valueName: "text"))
    var system: String?

    @Option(help: ArgumentHelp("Go on with a conversation that was saved.", valueName: "file"))
    var load: String?

    @Option(help: ArgumentHelp("The most tokens of an answer.", valueName: "n"))
    var maxTokens = 1024

    @Option(
        help: ArgumentHelp(
            "The most tokens of the conversation; the model's limit, at most 8192, if not given, and less where memory has no room.",
            valueName: "n"))
    var context: Int?

    @Flag(
        help: "Color each token by how likely the model held it; without color, show the number where it is below half."
    )
    var confidence = false

    @Flag(help: "Neither read nor write the history of what was typed.")
    var noHistory = false

    func validate() throws {
        if maxTokens < 1 { throw ValidationError("--max-tokens is \(maxTokens); a number from 1 on is expected") }
        if let context, context < 2 {
            throw ValidationError("--context is \(context); a number from 2 on is expected")
        }
        if options.json && isatty(0) != 0 {
            throw ValidationError(
                "--json is for messages from a pipe or a file; on a terminal there are /stats and /save")
        }
    }

    func run() throws {
        var transcript = try load.map { try Chat.Transcript(at: $0.expandingHome) }
        if let system {
            let turns = transcript?.messages.filter { $0.role != .system } ?? []
            transcript = try Chat.Transcript((system.isEmpty ? [] : [.init(.system, system)]) + turns)
        }
        let (model, loadSeconds) = try options.open()
        if let context, let limit = model.contextLimit, context > limit {
            throw RunnerError.contextTooLong(limit: limit, wanted: context)
        }
        let chat = Chat(model, capacity: context)
        let start = transcript
        let capacity = try TaskRunner.wait {
            if let start { try await chat.restore(start) }
            do { try await chat.prepare() } catch RunnerError.noChatTemplate(let file) {
                throw Failure(
                    "\(RunnerError.noChatTemplate(file: file)); tinygpt generate continues texts without one")
            }
            return try await chat.capacity
        }
        var session = ChatSession(
            chat, capacity: capacity, sampling: sampling.sampling(temperature: 0.7), stops: sampling.stop,
            maxTokens: maxTokens, showsConfidence: confidence, isJSON: options.json)
        session.report.load_seconds = loadSeconds
        if isatty(0) != 0 && session.style.isTerminal {
            try session.talk(keepsHistory: !noHistory)
        } else {
            try session.answerInput()
        }
    }
}

extension String {
    /// With the user's own folder in place of ~, as a shell has it.
    var expandingHome: String {
        guard self == "~" || hasPrefix("~/"), let home = ProcessInfo.processInfo.environment["HOME"], !home.isEmpty
        else { return self }
        return home + dropFirst()
    }
}
