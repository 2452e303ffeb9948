import Foundation

/// Asks for messages on a terminal, with the history of earlier ones.
struct ChatPromptLine {
    private let editor: LineEditor?
    private var history: InputHistory?
    private var reader = MessageReader()
    private var lines = InputLines()
    private let warn: (String) -> Void

    init(keepsHistory: Bool, warn: @escaping (String) -> Void) {
        self.warn = warn
        editor = LineEditor(program: "tinygpt")
        guard keepsHistory, editor != nil, let path = InputHistory.path() else { return }
        do {
            let history = try InputHistory(path: path)
            history.entries.forEach { editor?.remember($0) }
            self.history = history
        } catch { warn("no history: \(error)") }
    }

    /// The next message or command; nil when the chat is to end.
    ///
    /// - Parameter note: tells what Ctrl-C does.
    mutating func next(_ note: (String) -> Void) throws -> MessageReader.Input? {
        var wasInterrupted = false
        while true {
            let prompt = reader.isInside ? "... " : "> "
            switch try read(prompt) {
            case .line(let line):
                wasInterrupted = false
                guard let input = reader.take(line), !input.isEmpty else { continue }
                keep(input)
                return input
            case .interrupted(let wasEmpty):
                Output.terminal("^C\n")
                if reader.isInside || !wasEmpty {
                    reader.clear()
                    wasInterrupted = false
                } else if wasInterrupted {
                    return nil
                } else {
                    note("Ctrl-C once more, or Ctrl-D, ends the chat.")
                    wasInterrupted = true
                }
            case .end:
                Output.terminal("\n")
                if !reader.isInside { return nil }
                reader.clear()
                note("The message that had begun is forgotten.")
            }
        }
    }

    private mutating func read(_ prompt: String) throws -> LineEditor.Outcome {
        if let editor { return editor.read(prompt) }
        Output.terminal(prompt)
        return try lines.next().map { .line($0) } ?? .end
    }

    /// A message of many lines is had again as what it is, whatever it was written as.
    private mutating func keep(_ input: MessageReader.Input) {
        var entry = input.text
        if case .block = input, entry.hasPrefix("/") { entry = "/" + entry }
        editor?.remember(entry)
        do { try history?.append(entry) } catch {
            warn("no history: \(error)")
            history = nil
        }
    }
}
