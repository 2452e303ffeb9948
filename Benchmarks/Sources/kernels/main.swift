// How fast the kernels are, on each instruction set of this machine, beside what the machine can do at most.
//
//     swift run -c release --package-path Benchmarks kernels --help

let options = Options(CommandLine.arguments.dropFirst())
let report = Report(asJSON: options.json)
if options.measures.contains("decode") { decode(options, report) }
if options.measures.contains("prompt") { prompt(options, report) }
try report.finish()
