using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace DistTrain.Benchmarks;

/// <summary>The matrix product of OpenBLAS, where it is installed.</summary>
internal static unsafe class OpenBlas
{
    private const int RowMajor = 101, Plain = 111, Transposed = 112;

    // What OpenBLAS 0.3.21 falls back to on a processor that it does not know: without the vectors that every processor since has.
    private static readonly string[] s_fallbacks = ["Katmai", "Northwood", "Prescott", "Core2", "Nehalem", "Generic"];

    private static string s_coreType = "";

    private static readonly nint s_library = Load();

    /// <summary>Whether the library was found.</summary>
    public static bool IsInstalled => s_library != 0;

    /// <summary>The processor whose kernels it and PyTorch's have to be told to run, for they do not know this one; empty where they do.</summary>
    public static string CoreType => IsInstalled ? s_coreType : "";

    /// <summary>The environment variable that tells it.</summary>
    public const string CoreTypeVariable = "OPENBLAS_CORETYPE";

    /// <summary>Its version, build and the processor whose kernels it runs.</summary>
    public static string Version => Marshal.PtrToStringAnsi(((delegate* unmanaged[Cdecl]<nint>)NativeLibrary.GetExport(s_library, "openblas_get_config"))())!.Trim();

    /// <summary>Threads of the products that follow.</summary>
    public static void SetThreads(int threads) => ((delegate* unmanaged[Cdecl]<int, void>)NativeLibrary.GetExport(s_library, "openblas_set_num_threads"))(threads);

    /// <summary>c = op(a)·op(b). c: m×n, op(a): m×k, op(b): k×n, all row by row.</summary>
    public static void Multiply<T>(T* a, bool transposeA, T* b, bool transposeB, T* c, int m, int n, int k)
        where T : unmanaged
    {
        int left = transposeA ? Transposed : Plain, right = transposeB ? Transposed : Plain;
        int rowA = transposeA ? m : k, rowB = transposeB ? k : n;
        if (typeof(T) == typeof(float))
        {
            s_single(RowMajor, left, right, m, n, k, 1, (float*)a, rowA, (float*)b, rowB, 0, (float*)c, n);
        }
        else
        {
            s_double(RowMajor, left, right, m, n, k, 1, (double*)a, rowA, (double*)b, rowB, 0, (double*)c, n);
        }
    }

    private static readonly delegate* unmanaged[Cdecl]<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void> s_single =
        IsInstalled ? (delegate* unmanaged[Cdecl]<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void>)NativeLibrary.GetExport(s_library, "cblas_sgemm") : null;

    private static readonly delegate* unmanaged[Cdecl]<int, int, int, int, int, int, double, double*, int, double*, int, double, double*, int, void> s_double =
        IsInstalled ? (delegate* unmanaged[Cdecl]<int, int, int, int, int, int, double, double*, int, double*, int, double, double*, int, void>)NativeLibrary.GetExport(s_library, "cblas_dgemm") : null;

    private static nint Load()
    {
        // Whatever the shell says of OpenBLAS, such as the kernels of an older processor, would make a peer slower than it is. The library reads
        // the environment of the process, not .NET's copy of it.
        bool asks = NativeLibrary.TryLoad("libc.so.6", out nint system);
        if (asks)
        {
            nint forget = NativeLibrary.GetExport(system, "unsetenv");
            foreach (string name in Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(name => name.StartsWith("OPENBLAS_", StringComparison.Ordinal)))
            {
                nint text = Marshal.StringToHGlobalAnsi(name);
                _ = ((delegate* unmanaged[Cdecl]<nint, int>)forget)(text);
                Marshal.FreeHGlobal(text);
            }

            Set(system, Pause.OpenBlasVariable, Pause.OpenBlasTimeout);
        }

        if (!NativeLibrary.TryLoad("libopenblas.so.0", out nint library))
        {
            return 0;
        }

        string chosen = Marshal.PtrToStringAnsi(((delegate* unmanaged[Cdecl]<nint>)NativeLibrary.GetExport(library, "openblas_get_corename"))())!;
        if (asks && Vector256.IsHardwareAccelerated && s_fallbacks.Contains(chosen))
        {
            // It chooses once, when it is loaded.
            s_coreType = Vector512.IsHardwareAccelerated ? "SkylakeX" : "Haswell";
            Set(system, CoreTypeVariable, s_coreType);
            NativeLibrary.Free(library);
            library = NativeLibrary.Load("libopenblas.so.0");
        }

        return library;
    }

    private static void Set(nint system, string name, string value)
    {
        nint variable = Marshal.StringToHGlobalAnsi(name), text = Marshal.StringToHGlobalAnsi(value);
        _ = ((delegate* unmanaged[Cdecl]<nint, nint, int, int>)NativeLibrary.GetExport(system, "setenv"))(variable, text, 1);
        Marshal.FreeHGlobal(variable);
        Marshal.FreeHGlobal(text);
    }
}
