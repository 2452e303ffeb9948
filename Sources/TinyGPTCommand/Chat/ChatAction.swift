/// What someone in a chat wants: something said, or something done.
enum ChatAction: Equatable {
    case say(String)
    /// With nothing: to see them.
    case system(String?)
    case reset
    case regenerate
    case save(String)
    case load(String)
    case stats
    /// How many alternatives to a token.
    case candidates(Int?)
    /// How many turns.
    case drop(Int?)
    case help
    case quit

    /// The commands, in the order of `/help`.
    static let commands: [(name: String, argument: String, meaning: String)] = [
        ("/system", "[TEXT]", "show or change the instructions"),
        ("/reset", "", "forget what was said, not the instructions"),
        ("/regenerate", "", "another answer to the last message"),
        ("/save", "FILE", "write the conversation to a file"),
        ("/load", "FILE", "go on with a conversation from a file"),
        ("/stats", "", "tokens, speed and memory"),
        ("/candidates", "[N]", "what was weighed for each token said last"),
        ("/drop", "[N]", "forget the N oldest turns"),
        ("/help", "", "this list"),
        ("/quit", "", "end the chat"),
    ]

    /// The most alternatives that are kept of each token.
    static let mostCandidates = 20

    /// - Parameter input: a line, or several; `//` is a slash that begins a message.
    /// - Throws: `Failure` for a command that is none, or one with an argument that it does not take.
    init(_ input: MessageReader.Input) throws(Failure) {
        guard case .typed(let text) = input, text.hasPrefix("/"), !text.hasPrefix("//") else {
            switch input {
            case .typed(let text): self = .say(text.hasPrefix("//") ? String(text.dropFirst()) : text)
            case .block(let text): self = .say(text)
            }
            return
        }
        let parts = text.split(maxSplits: 1, omittingEmptySubsequences: true) { $0.isWhitespace }
        let name = parts.first.map(String.init) ?? text
        let argument = parts.count > 1 ? parts[1].trimmed : ""
        func none(_ action: ChatAction) throws(Failure) -> ChatAction {
            if argument.isEmpty { return action }
            throw Failure("\(name) takes nothing behind it, and found \"\(argument.visible.cut(to: 40))\"")
        }
        func file() throws(Failure) -> String {
            if argument.isEmpty { throw Failure("\(name) needs the name of a file: \(name) FILE") }
            return argument
        }
        func number(_ range: ClosedRange<Int>) throws(Failure) -> Int? {
            if argument.isEmpty { return nil }
            if let number = Int(argument), range.contains(number) { return number }
            let upper = range.upperBound == .max ? "on" : "to \(range.upperBound)"
            throw Failure(
                "\(name) takes a number from \(range.lowerBound) \(upper), and found \"\(argument.visible.cut(to: 40))\""
            )
        }
        switch name {
        case "/system": self = .system(argument.isEmpty ? nil : argument)
        case "/reset": self = try none(.reset)
        case "/regenerate": self = try none(.regenerate)
        case "/save": self = .save(try file())
        case "/load": self = .load(try file())
        case "/stats": self = try none(.stats)
        case "/candidates": self = .candidates(try number(1...Self.mostCandidates))
        case "/drop": self = .drop(try number(1...Int.max))
        case "/help": self = try none(.help)
        case "/quit": self = try none(.quit)
        default:
            throw Failure(
                "there is no command \(name.visible.cut(to: 40)); there are \(Self.commands.map(\.name).joined(separator: ", "))."
                    + " To send a message that begins with a slash, write two")
        }
    }

    /// For people, within 60 columns.
    static var listing: String {
        let width = commands.map { $0.name.count + $0.argument.count + 1 }.max() ?? 0
        let list = commands.map { "\("\($0.name) \($0.argument)".padded(to: width))  \($0.meaning)\n" }.joined()
        return list + """

            //text           a message that begins with a slash
            a line's end \\   the message goes on in the next line
            \"""              begins a message of many lines, and ends it

            Ctrl-C           stops the answer, what was said stays;
                             at the prompt clears the line
            Ctrl-C Ctrl-C    at an empty prompt ends the chat
            Ctrl-D           ends the chat

            """
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    var trimmed: String {
        let rest = drop { $0.isWhitespace }
        return String(rest[..<(rest.lastIndex { !$0.isWhitespace }.map(rest.index(after:)) ?? rest.startIndex)])
    }
}
