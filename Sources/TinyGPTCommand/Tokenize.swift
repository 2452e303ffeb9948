import ArgumentParser
import TinyGPT

struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the tokens of a text, or the text of tokens.",
        discussion: """
            The text is read as plain text: nothing is added in front, and special tokens in it are cut up like other \
            text, unless --special is given. A file that holds only a vocabulary will do as the model.
            """)

    @OptionGroup var input: TextInput
    @OptionGroup var options: ModelOptions

    @Flag(help: "Read special tokens such as <|im_start|> in the text as what they are.")
    var special = false

    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("The other way: print the text of these tokens.", valueName: "id"))
    var decode: [Int] = []

    func run() throws {
        let tokenizer = try Tokenizer(at: try options.path())
        if !decode.isEmpty {
            let text = try tokenizer.decode(decode)
            return options.json ? try Output.json(["text": text]) : try Output.print(text + "\n")
        }
        let tokens = tokenizer.encode(try input.read(), special: special)
        let pieces = try tokens.map { try tokenizer.decode([$0]) }
        if options.json { return try Output.json(Report(tokens: tokens, pieces: pieces)) }
        var lines = ""
        for (token, piece) in zip(tokens, pieces) {
            lines += "\(String(token).leftPadded(to: 7))  \"\(piece.visible)\"\n"
        }
        try Output.print(lines)
    }

    private struct Report: Encodable {
        let tokens: [Int]
        let pieces: [String]
    }
}
