import CBenchmark
import CTinyKernels
import Foundation

/// What to measure, and how long.
struct Options {
    var json = false
    var rounds = 5
    var threads = [1, ProcessInfo.processInfo.activeProcessorCount]
    var megabytes = 400
    var measures = ["decode", "prompt"]
    var instructionSets = supported.map(\.name)
    var types = quantizedTypes.map(\.name)
    var widths = [576, 1536, 2048, 4096]

    static let help = """
        usage: kernels [--json] [--rounds N] [--threads N,…] [--megabytes N] [--measure decode,prompt]
                       [--isa NAME,…] [--types NAME,…] [--widths N,…]

        decode: products of matrices with 1 and with 8 rows of activations, in GB/s of packed weights; `limit` is reading
        memory. The matrices of a type take --megabytes in all, so that they come from memory and not from a cache.
        prompt: products with 512 rows of square matrices, in GFLOP/s; `limit` is the instruction set's own arithmetic in
        registers. Each round measures every case and, right before it, its limit; given are the median, the least and the
        most of the rounds, and the median of the rounds' shares of the limit.
        """

    init(_ arguments: some Sequence<String>) {
        var rest = Array(arguments)[...]
        while let name = rest.popFirst() {
            switch name {
            case "--json": json = true
            case "--rounds": rounds = number(name, rest.popFirst())
            case "--megabytes": megabytes = number(name, rest.popFirst())
            case "--threads": threads = list(name, rest.popFirst()).map { number(name, $0) }
            case "--widths": widths = list(name, rest.popFirst()).map { number(name, $0) }
            case "--measure": measures = list(name, rest.popFirst(), of: measures)
            case "--isa": instructionSets = list(name, rest.popFirst(), of: instructionSets)
            case "--types": types = list(name, rest.popFirst(), of: types + ["F32"])
            case "--help", "-h":
                print(Self.help)
                exit(0)
            default: fail("\(name) is no option\n\(Self.help)")
            }
        }
        if threads == [1, 1] { threads = [1] }
        for width in widths where !width.isMultiple(of: 32) { fail("--widths: \(width) is no multiple of 32") }
    }
}

private func fail(_ text: String) -> Never {
    FileHandle.standardError.write(Data("kernels: \(text)\n".utf8))
    exit(64)
}

private func list(_ option: String, _ text: String?, of known: [String]? = nil) -> [String] {
    guard let text else { fail("\(option) needs a value") }
    let names = text.split(separator: ",").map(String.init)
    if names.isEmpty { fail("\(option) names nothing") }
    if let known, let odd = names.first(where: { !known.contains($0) }) {
        fail("\(option): there is no \(odd) here, only \(known.joined(separator: ", "))")
    }
    return names
}

private func number(_ option: String, _ text: String?) -> Int {
    guard let text, let value = Int(text), (1...100_000).contains(value) else {
        fail("\(option): a number from 1 to 100000 is expected, found \(text ?? "nothing")")
    }
    return value
}
