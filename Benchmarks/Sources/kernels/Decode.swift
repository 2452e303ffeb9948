import CBenchmark
import CTinyKernels
import Foundation

// Products with one row of activations and with eight, which are bound by reading the weights.

func decode(_ options: Options, _ report: Report) {
    report.begin(
        "decode", ["type", "shape", "batch", "threads", "isa"], unit: "GB/s of packed weights, beside reading memory")
    for type in quantizedTypes where options.types.contains(type.name) {
        for rows in [2048, 8192] { decode(type, rows: rows, columns: 2048, options, report) }
    }
}

private func decode(_ type: QuantizedType, rows: Int, columns: Int, _ options: Options, _ report: Report) {
    let panels = (rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS
    let bytes = panels * tk_packed_format(type.type, rows, columns).panel_bytes
    let count = max(1, options.megabytes << 20 / bytes)
    guard let matrices = bench_matrices(type.type, rows, columns, count), let values = bench_floats(8 * columns),
        let y = bench_floats(8 * rows)
    else { return report.note("\(type.name): no memory for \(options.megabytes) MB of weights") }
    defer {
        bench_free_matrices(matrices)
        free(values)
        free(y)
    }
    var cases: [Case] = []
    for isa in supported where options.instructionSets.contains(isa.name) {
        guard let activations = Activations(isa, values, rows: 8, columns: columns) else { continue }
        for threads in options.threads {
            for batch in [1, 8] {
                let seconds = { (first: Int, some: Int) in
                    var x = activations.quantized
                    return bench_packed(isa.table, matrices + first, some, panels, &x, batch, y, Int32(threads))
                }
                let some = stepCount(most: count) { seconds(0, $0) }
                var next = 0  // in turn, so that a matrix has left the caches when it comes again
                let labels = [type.name, "\(rows)x\(columns)", "\(batch)", "\(threads)", isa.name]
                cases.append(
                    Case(labels, limitName: "reading memory") {
                        if next + some > count { next = 0 }
                        defer { next += some }
                        return Double(some * bytes) * 1e-9 / seconds(next, some)
                    } measureLimit: {
                        let all = count * bytes
                        return Double(all) * 1e-9 / bench_read(matrices[0].panels, all, Int32(threads))
                    })
            }
        }
    }
    sample(&cases, rounds: options.rounds)
    report.add(cases)
}

/// Rows of activations as the kernels take them, freed with the last that uses them.
final class Activations {
    let quantized: tk_quantized
    /// For those that multiply in tiles.
    let rounded: UnsafeMutablePointer<UInt16>?

    init?(
        _ isa: InstructionSet, _ values: UnsafePointer<Float>, rows: Int, columns: Int, isCoarse: Bool = false
    ) {
        var made = tk_quantized()
        made.is_coarse = isCoarse
        guard bench_quantized(isa.table, values, rows, columns, &made) else { return nil }
        quantized = made
        rounded = bench_rounded_rows(isa.table, values, rows, columns)
    }

    deinit {
        free(quantized.high)
        free(rounded)
    }
}
