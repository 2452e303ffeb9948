import ArgumentParser
import Foundation

@main
struct TinyGPTCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tinygpt",
        abstract: "Run open language models on this machine's CPU.",
        discussion: """
            A model is a GGUF file, a safetensors file with its config.json beside it, or a folder as Hugging Face lays \
            it out. It is named by --model, by the environment variable TINYGPT_MODEL, or is the default model in \
            weights/, which scripts/fetch_weights fetches.

            Examples:
              tinygpt generate "Once upon a time"
              tinygpt generate --file prompt.txt --temperature 0.7 --seed 1 --max-tokens 200
              tinygpt chat --system "Answer in one sentence."
              tinygpt next --top 5 "The capital of France is"
              tinygpt inspect --model model.gguf
              echo 你好 | tinygpt tokenize

            Completions for your shell: tinygpt --generate-completion-script
            """,
        version: "tinygpt 0.1.0",
        subcommands: [
            Generate.self, Converse.self, Serve.self, Next.self, Tokenize.self, Inspect.self, Verify.self,
            MeasurePerplexity.self, Embed.self, Search.self, RenderTemplate.self, Bench.self, ProfileTime.self,
            FirstToken.self, Quantize.self,
            Convert.self,
            GatherStatistics.self,
        ])

    static func main() {
        #if canImport(Glibc)
            // Where memory is short, a thread of OpenBLAS asks for it for ever, and the end would wait for that thread.
            on_exit(
                { status, _ in
                    fflush(nil)
                    _exit(status)
                }, nil)
        #endif
        do { try InputBytes.checkArguments() } catch { exit(withError: ValidationError("\(error)")) }
        main(nil)
    }
}
