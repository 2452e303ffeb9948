import ArgumentParser
import Foundation
import TinyGPT
import TinyRunner

struct RenderTemplate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat-template",
        abstract: "Show a conversation as a model's chat template frames it.",
        discussion: """
            FILE holds JSON: an array of messages, or an object with "messages" and, if wanted, "tools", "documents" and \
            "add_generation_prompt"; its other members are variables of the template. Messages reach the template whole. \
            Whatever they look like, special tokens in FILE are never read as such: see it with --tokens.

            A file that holds only a vocabulary will do as the model. With --template-file a model is needed for tokens \
            only, and is looked for nowhere but where --model or TINYGPT_MODEL say.

            Examples:
              echo '[{"role": "user", "content": "Hello"}]' | tinygpt chat-template --messages -
              tinygpt chat-template --messages chat.json --tokens --model model.gguf
              tinygpt chat-template --messages chat.json --template-file draft.jinja --set enable_thinking=false
            """)

    @OptionGroup var options: ModelOptions

    @Option(help: ArgumentHelp("The conversation, as JSON; - for standard input.", valueName: "file"))
    var messages: String?

    @Option(
        help: ArgumentHelp(
            "Which of the model's templates to use; if not given, tool_use for a conversation with tools where there is one, else default.",
            valueName: "name"))
    var template: String?

    @Option(help: ArgumentHelp("Use the template in this file instead of the model's.", valueName: "path"))
    var templateFile: String?

    @Option(
        help: ArgumentHelp(
            "Set a variable of the template; the value is JSON, or else a text. May be given several times.",
            valueName: "name=value"))
    var set: [String] = []

    @Flag(help: "Do not end where the assistant is to speak.")
    var noGenerationPrompt = false

    @Flag(help: "Show the tokens' ids and pieces; special ones are marked.")
    var tokens = false

    @Flag(help: "Print the names of the model's templates.")
    var list = false

    @Flag(
        help:
            "FILE holds many conversations, one on each line. For each of them a line of JSON is printed, with \"text\" and \"tokens\", or with \"error\"."
    )
    var lines = false

    func validate() throws {
        if template != nil && templateFile != nil {
            throw ValidationError("give --template or --template-file, not both: a file holds one template")
        }
        if list && templateFile != nil {
            throw ValidationError("--list shows a model's templates, not those of a file")
        }
        if lines && tokens { throw ValidationError("give --lines or --tokens, not both: --lines prints JSON") }
        if !list && messages == nil {
            throw ValidationError("no conversation was given: give --messages FILE, or - for standard input")
        }
        for setting in set where !setting.contains("=") || setting.hasPrefix("=") {
            throw ValidationError("--set is \(setting); NAME=VALUE is expected")
        }
    }

    func run() throws {
        let frame = try frame()
        if list { return try show(names: frame.names) }
        let name = messages ?? "-"
        let bytes = try InputBytes.read(name)
        if lines { return try renderLines(bytes, frame) }
        let conversation = adjusted(try conversation(bytes, name))
        let (text, ids) = try frame.rendered(conversation, named: template)
        if options.json { return try Output.json(Rendered(text: text, tokens: ids)) }
        guard tokens else { return try Output.print(text) }
        guard let ids, let tokenizer = frame.tokenizer else {
            if templateFile == nil { _ = try frame.tokens(of: conversation, named: template) }
            throw Failure("tokens need a model's vocabulary: give --model PATH")
        }
        var table = ""
        for id in ids {
            let mark = tokenizer.isSpecial(id) ? "*" : " "
            table += "\(String(id).leftPadded(to: 7)) \(mark)\"\(try tokenizer.piece(id).visible)\"\n"
        }
        try Output.print(table)
    }

    /// The model's templates, or the file's.
    private func frame() throws -> ChatTemplate {
        guard let templateFile else { return try ChatTemplate(at: options.path()) }
        return try ChatTemplate(source: InputBytes.text(templateFile), file: templateFile, with: options.namedPath)
    }

    private func show(names: [String]) throws {
        if options.json { return try Output.json(["templates": names]) }
        try Output.print(names.map { $0.visible + "\n" }.joined())
    }

    private func conversation(_ bytes: [UInt8], _ name: String) throws -> Conversation {
        do { return try Conversation(json: bytes) } catch {
            throw Failure("\(InputBytes.name(name)): \(error)")
        }
    }

    private func adjusted(_ conversation: Conversation) -> Conversation {
        var conversation = conversation
        if noGenerationPrompt { conversation.addsGenerationPrompt = false }
        for setting in set {
            let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let text = String(parts[1])
            conversation.variables.append((String(parts[0]), (try? TemplateValue(json: text)) ?? .string(text)))
        }
        return conversation
    }

    /// One conversation after the other; one that fails does not keep the next from being rendered.
    private func renderLines(_ bytes: [UInt8], _ frame: ChatTemplate) throws {
        var failed = 0
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            do {
                let (text, ids) = try frame.rendered(adjusted(Conversation(json: Array(line))), named: template)
                try Output.json(Rendered(text: text, tokens: ids))
            } catch let error where error is RunnerError || error is ChatTemplateError {
                failed += 1
                try Output.json(["error": "\(error)"])
            }
        }
        if failed > 0 { throw ExitCode(1) }
    }
}

/// What `chat-template --json` prints; no tokens where there is no vocabulary.
private struct Rendered: Encodable {
    let text: String
    let tokens: [Int]?
}
