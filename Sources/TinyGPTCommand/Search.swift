import ArgumentParser
import TinyGPT

#if Retrieval
    import TinyRetrieval
#endif

struct Search: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Find passages about something in a folder of texts.",
        discussion: """
            The folder has to be indexed first, by `tinygpt embed --index`, and with the same model. Passages are found by \
            what they mean to the model, and every one of them is compared.

            Knowledge from outside a model, for it to answer with:
              tinygpt embed --index notes --model weights/all-MiniLM-L6-v2
              tinygpt search --index notes --model weights/all-MiniLM-L6-v2 --top 3 --prompt "What is the mule called?" \\
                | tinygpt generate --max-tokens 60 --stop "["
            """)

    @OptionGroup var input: TextInput
    @OptionGroup var place: IndexOptions

    @Option(help: ArgumentHelp("How many passages to show.", valueName: "n"))
    var top = 5

    @Flag(help: "Print a prompt for `tinygpt generate`: the passages and the question.")
    var prompt = false

    @OptionGroup var options: ModelOptions

    func validate() throws {
        if place.index == nil {
            throw ValidationError("--index is missing: the folder of texts that `tinygpt embed --index` has indexed")
        }
        if top < 1 { throw ValidationError("--top is \(top); a number from 1 on is expected") }
    }

    func run() throws {
        #if Retrieval
            guard let folder = place.index else { return }
            let query = try input.read()
            // Before the model is loaded, which takes longer.
            let index = try TextIndex(at: place.path(in: folder))
            let matches = try index.search(
                query, top: top, with: try options.embedder(), threads: options.threads)
            if options.json {
                try Output.json(Report(query, matches, prompt: prompt))
            } else if prompt {
                try Output.print(matches.prompt(for: query))
            } else {
                try show(matches)
            }
        #else
            throw Failure.searchIsNotBuilt
        #endif
    }

    #if Retrieval
        private func show(_ matches: [Match]) throws {
            if matches.isEmpty { Output.error("The index holds no passages.\n") }
            for (index, match) in matches.enumerated() {
                let (lines, score) = (match.passage.lines, Double(match.score).fixed(3))
                var text = "\(index == 0 ? "" : "\n")\(score)  \(match.file.visible), "
                text +=
                    lines.count == 1 ? "line \(lines.lowerBound)\n" : "lines \(lines.lowerBound)–\(lines.upperBound)\n"
                for line in match.passage.text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
                    text += "    \(String(line).visible)\n"
                }
                try Output.print(text)
            }
        }

        /// What `search --json` prints.
        private struct Report: Encodable {
            struct Result: Encodable {
                let file: String
                let start_line: Int
                let end_line: Int
                let score: Float
                let text: String
            }

            let query: String
            let results: [Result]
            let prompt: String?

            init(_ query: String, _ matches: [Match], prompt: Bool) {
                self.query = query
                self.prompt = prompt ? matches.prompt(for: query) : nil
                results = matches.map {
                    Result(
                        file: $0.file, start_line: $0.passage.lines.lowerBound, end_line: $0.passage.lines.upperBound,
                        score: $0.score, text: $0.passage.text)
                }
            }
        }
    #endif
}
