import ArgumentParser
import TinyGPT

struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a model in the other format: a folder as a GGUF file, a GGUF file as a folder.",
        discussion: """
            An output that ends with .gguf becomes a GGUF file, any other a Hugging Face folder with config.json, \
            model.safetensors and the tokenizer's files. Tensors keep their types unless --type says otherwise: for a \
            file any type that quantize has, for a folder F32, F16 or BF16.

            A GGUF file made from a folder keeps what it cannot say otherwise, so that the way back gives the same \
            tensors. The output appears once it is whole.

            Example:
              tinygpt convert --model folder --output model.gguf
            """)

    @OptionGroup var options: ModelOptions

    @Option(name: [.short, .long], help: ArgumentHelp("A file that ends with .gguf, or a folder.", valueName: "path"))
    var output: String

    @Option(help: ArgumentHelp("The type to write; as the model has them, if not given.", valueName: "type"))
    var type: QuantizationType?

    @Flag(help: "Replace the output if it is there.")
    var force = false

    func run() throws {
        let conversion = try Conversion(
            of: try options.path(), toGGUF: output.lowercased().hasSuffix(".gguf"), type: type, threads: options.threads
        )
        try Writing.run(output, warnings: conversion.warnings, json: options.json) {
            try conversion.write(to: output, replacing: force, progress: $0)
        }
    }
}
